import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { FileSink, type FileWriter } from '../../telemetry/file-sink.ts';
import { createLog } from '../../telemetry/log.ts';
import { openSink } from '../../telemetry/open-sink.ts';
import type { OnLost } from '../../telemetry/sink.ts';
import { StreamSink } from '../../telemetry/stream-sink.ts';
import { MemorySink } from '../support/telemetry-options.ts';

/** Counts lost lines by reason. */
function losses(): { onLost: OnLost; lost: Record<string, number> } {
  const lost: Record<string, number> = {};
  return {
    lost,
    onLost: (lines, reason) => {
      lost[reason] = (lost[reason] ?? 0) + lines;
    },
  };
}

/** A stream whose reader reads when told to. */
class ManualStream extends EventEmitter {
  written = '';
  waiting = '';
  writable = true;

  get writableLength(): number {
    return this.waiting.length;
  }

  write(text: string): boolean {
    this.waiting += text;
    return false;
  }

  read(): void {
    this.written += this.waiting;
    this.waiting = '';
    this.emit('drain');
  }
}

/** A disk whose writes end when told to, in full, in part or with an error. */
class ManualWriter implements FileWriter {
  written = '';
  closed = 0;
  pending: { bytes: Buffer; done: (error: Error | null, written: number) => void }[] = [];

  write(_descriptor: number, bytes: Buffer, done: (error: Error | null, n: number) => void): void {
    this.pending.push({ bytes, done });
  }

  close(_descriptor: number, done: () => void): void {
    this.closed++;
    done();
  }

  finish(count = Number.POSITIVE_INFINITY): void {
    const { bytes, done } = this.pending.shift() as (typeof this.pending)[0];
    const taken = bytes.subarray(0, count);
    this.written += taken.toString();
    done(null, taken.length);
  }

  fail(): void {
    this.pending.shift()?.done(new Error('ENOSPC'), 0);
  }
}

describe('stream sink', () => {
  it('drops and counts lines while the reader is stuck, and goes on when it reads', () => {
    const stream = new ManualStream();
    const { lost, onLost } = losses();
    const sink = new StreamSink(stream, 10, onLost);

    sink.write('123456\n');
    sink.write('7\n8\n');
    sink.write('a\nb\n');
    expect(lost).to.deep.equal({ queue_full: 2 });
    stream.read();
    sink.write('c\n');
    stream.read();

    expect(stream.written).to.equal('123456\n7\n8\nc\n');
    expect(lost).to.deep.equal({ queue_full: 2 });
  });

  it('survives a closed pipe and counts what comes after', () => {
    const stream = new ManualStream();
    const { lost, onLost } = losses();
    const sink = new StreamSink(stream, 10, onLost);
    stream.emit('error', new Error('EPIPE'));
    sink.write('a\nb\n');

    expect(lost).to.deep.equal({ write_failed: 2 });
    expect(stream.waiting).to.equal('');
  });

  it('waits at close for the reader', async () => {
    const stream = new ManualStream();
    const sink = new StreamSink(stream, 10, losses().onLost);
    sink.write('a\n');
    const closed = sink.close(60_000);
    stream.read();
    await closed;

    expect(stream.written).to.equal('a\n');
  });

  it('does not wait at close for ever', async () => {
    const stream = new ManualStream();
    const sink = new StreamSink(stream, 10, losses().onLost);
    sink.write('a\n');
    await sink.close(1);

    expect(stream.waiting).to.equal('a\n');
  });
});

describe('file sink', () => {
  it('has one write in flight and joins what comes meanwhile', () => {
    const writer = new ManualWriter();
    const sink = new FileSink(7, false, 100, losses().onLost, writer);
    for (const line of ['a\n', 'b\n', 'c\n']) sink.write(line);

    expect(writer.pending).to.have.length(1);
    writer.finish();
    expect(writer.pending.map(({ bytes }) => bytes.toString())).to.deep.equal(['b\nc\n']);
    writer.finish(1);
    writer.finish();
    expect(writer.written).to.equal('a\nb\nc\n');
    expect(writer.pending).to.have.length(0);
  });

  it('drops and counts beyond its bound', () => {
    const writer = new ManualWriter();
    const { lost, onLost } = losses();
    const sink = new FileSink(7, false, 4, onLost, writer);
    for (let n = 0; n < 10; n++) sink.write('x\n');

    expect(lost).to.deep.equal({ queue_full: 8 });
  });

  it('counts the lines that a full disk refused and tries the next', () => {
    const writer = new ManualWriter();
    const { lost, onLost } = losses();
    const sink = new FileSink(7, false, 100, onLost, writer);
    sink.write('a\nb\n');
    sink.write('c\n');
    writer.fail();
    writer.finish();

    expect(lost).to.deep.equal({ write_failed: 2 });
    expect(writer.written).to.equal('c\n');
  });

  it('closes its descriptor after the last write, and not under one that is stuck', async () => {
    const writer = new ManualWriter();
    const sink = new FileSink(7, true, 100, losses().onLost, writer);
    sink.write('a\n');
    const closed = sink.close(60_000);
    writer.finish();
    await closed;
    expect(writer.closed).to.equal(1);

    const stuck = new FileSink(7, true, 100, losses().onLost, writer);
    stuck.write('a\n');
    await stuck.close(1);
    expect(writer.closed).to.equal(1);
  });
});

describe('sink of a path', () => {
  it('appends lines to the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'outrigger-sink-'));
    try {
      const path = join(folder, 'access.log');
      for (const line of ['a\n', 'b\n']) {
        const sink = openSink({ path }, losses().onLost);
        sink.write(line);
        await sink.close(1000);
      }

      expect(await readFile(path, 'utf8')).to.equal('a\nb\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('standard output that nobody reads', () => {
  it('loses lines, counts them and keeps neither the loop nor the exit', async function () {
    this.timeout(20_000);
    const program = new URL('../support/stuck-stdout.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, ['--import', 'tsx', program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    // Paused: the pipe fills up and stays full.
    child.stdout.pause();
    const [code] = (await once(child, 'exit')) as [number | null];
    child.stdout.destroy();

    expect(code, said).to.equal(0);
    const { lines, lost } = JSON.parse(said) as { lines: number; lost: number };
    expect(lost).to.be.within(lines / 2, lines - 1024);
  });
});

describe('process log', () => {
  it('writes the lines of pino and leaves out what is below its level', () => {
    const sink = new MemorySink();
    const log = createLog('info', sink).child({ part: 'consul' });
    log.debug({}, 'hidden');
    log.warn({ path: 'a\nb' }, 'odd');

    expect(sink.lines).to.have.length(1);
    expect(JSON.parse(sink.text)).to.include({
      level: 40,
      part: 'consul',
      path: 'a\nb',
      msg: 'odd',
    });
  });
});
