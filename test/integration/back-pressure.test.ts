import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { freePorts } from '../../sidecar/up/ports.ts';
import { SidecarProcess } from '../support/sidecar-process.ts';
import { until } from '../support/until.ts';

const GIGABYTE = 1024 ** 3;
const PIECE = Buffer.alloc(65_536, 'x');

/** Resident memory of a process, bytes. */
function residentBytes(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

/** Writes `total` bytes to whoever connects, as fast as they are taken. */
async function firehose(total: number): Promise<Server> {
  const server = createServer((socket) => {
    let left = total;
    const pour = (): void => {
      while (left > 0) {
        const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
        left -= piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.on('error', () => {});
    socket.on('drain', pour);
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      pour();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('back-pressure', function () {
  this.timeout(60_000);

  it('carries a response of 1 GB to a slow reader within 20 MB of memory', async function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: memory of a process is read from /proc, which is Linux');
      this.skip();
    }
    const server = await firehose(GIGABYTE);
    const [port] = (await freePorts(1)) as [number];
    const sidecar = await SidecarProcess.start({
      service: { name: 'caller' },
      consul: { enabled: false },
      upstreams: [
        {
          service: 'hose',
          port,
          resolver: 'static',
          endpoints: [`127.0.0.1:${(server.address() as AddressInfo).port}`],
        },
      ],
    });
    try {
      const before = residentBytes(sidecar.pid);
      let highest = before;
      let received = 0;
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('GET / HTTP/1.1\r\nHost: hose\r\n\r\n');
      // A reader that takes a bite, rests, and so on; the last part is taken at full speed.
      let resting = 0;
      socket.on('data', (bytes) => {
        received += bytes.length;
        highest = Math.max(highest, residentBytes(sidecar.pid));
        if (resting < 100 && received > resting * 1_000_000) {
          resting++;
          socket.pause();
          setTimeout(() => socket.resume(), 20);
        }
      });
      await until(
        () => received > GIGABYTE,
        50_000,
        () => `only ${received} bytes arrived`,
      );
      socket.destroy();

      expect((highest - before) / 1_048_576).to.be.lessThan(20);
    } finally {
      await sidecar.dispose();
      server.close();
    }
  });
});
