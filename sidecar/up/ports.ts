import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * Loopback ports that are free now and that the system does not hand out by itself: below the range
 * it takes source ports from, so that a connection of one process cannot sit on a port another one is
 * about to bind, or binds again after a restart. Throws when there are not enough.
 */
export async function freePorts(count: number): Promise<number[]> {
  const top = Math.min(lowestSourcePort(), LOW + SPAN);
  const found: number[] = [];
  let port = LOW + Math.floor(Math.random() * (top - LOW));
  for (let tried = 0; tried < top - LOW && found.length < count; tried++) {
    if (await bindable(port)) found.push(port);
    port = port + 1 < top ? port + 1 : LOW;
  }
  if (found.length < count) {
    throw new Error(`only ${found.length} of ${count} ports are free between ${LOW} and ${top}`);
  }
  return found;
}

/** Above the fixed ports of the sidecar (15000–21000) and of what people run for development. */
const LOW = 22_000;
const SPAN = 10_000;

function lowestSourcePort(): number {
  try {
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const lowest = Number(range.split(/\s/, 1)[0]);
    // A machine whose range starts lower has no room beside it: any free port has to do.
    return lowest > LOW + 1000 ? lowest : LOW + SPAN;
  } catch {
    return LOW + SPAN; // not Linux: the range starts at 49152
  }
}

function bindable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
