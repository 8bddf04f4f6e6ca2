import { fstatSync, openSync } from 'node:fs';
import { FileSink } from './file-sink.ts';
import type { OnLost, Sink } from './sink.ts';
import { StreamSink } from './stream-sink.ts';

/** Bytes that may wait for a slow or stuck reader before lines are dropped (`telemetry.md` §9.7). */
const BOUND_BYTES = 1_048_576;

/**
 * The sink for standard output, standard error or a file to append to. A descriptor that is a file gets
 * asynchronous writes, because Node writes those synchronously through `process.stdout`.
 * Throws what `open` throws: a path that cannot be opened is a mistake in the configuration.
 */
export function openSink(
  target: 'stdout' | 'stderr' | { readonly path: string },
  onLost: OnLost,
): Sink {
  if (typeof target === 'object') {
    return new FileSink(openSync(target.path, 'a', 0o640), true, BOUND_BYTES, onLost);
  }
  const descriptor = target === 'stdout' ? 1 : 2;
  if (isFile(descriptor)) return new FileSink(descriptor, false, BOUND_BYTES, onLost);
  return new StreamSink(process[target], BOUND_BYTES, onLost);
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false; // a closed descriptor: the stream reports it and the sink drops
  }
}
