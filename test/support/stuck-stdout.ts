import { openSink } from '../../telemetry/open-sink.ts';

/**
 * A process for the sink's tests: writes four megabytes of lines to a standard output that nobody reads,
 * says on standard error what was lost, and whether its event loop went on meanwhile.
 */
const LINES = 4096;
let lost = 0;
const sink = openSink('stdout', (lines) => {
  lost += lines;
});
for (let line = 0; line < LINES; line++) sink.write(`${'x'.repeat(1023)}\n`);
setImmediate(() => {
  process.stderr.write(`${JSON.stringify({ lines: LINES, lost })}\n`);
  void sink.close(100).then(() => process.exit(0));
});
