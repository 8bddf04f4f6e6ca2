import { connect, type Socket } from 'node:net';
import { Listener } from '../../../sidecar/listener/listener.ts';
import { systemClock } from '../../../telemetry/system-clock.ts';
import { RecordingHandler } from '../../support/recording-handler.ts';
import { until } from '../../support/until.ts';

/** Run under a small descriptor limit: connects until nothing is left, lets go, and wants an echo again. */
async function main(readMode: 'shared' | 'events'): Promise<void> {
  const listener = await Listener.listen({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    readMode,
    maxConnections: 10_000,
    accept: (transport) => {
      const handler = new RecordingHandler();
      handler.onReceived = (bytes) => transport.write(bytes);
      handler.onEnded = () => transport.end();
      const connection = { idle: true, drain: () => undefined, destroy: () => transport.destroy() };
      return Object.assign(handler, connection);
    },
  });
  if (listener instanceof Error) throw listener;
  const callers: Socket[] = [];
  let failed = 0;
  let connected = 0;
  for (let i = 0; i < 200; i++) {
    const caller = connect({ host: '127.0.0.1', port: listener.port });
    caller.on('error', () => failed++);
    caller.on('connect', () => connected++);
    callers.push(caller);
  }
  await until(
    () => failed > 0 && failed + connected >= 200,
    5000,
    () => `exhaustion was not reached: ${connected} connected, ${failed} failed`,
  );
  for (const caller of callers) caller.destroy();
  await until(
    () => listener.open === 0,
    5000,
    () => `${listener.open} connections leaked`,
  );
  const again = connect({ host: '127.0.0.1', port: listener.port });
  let echoed = '';
  again.on('data', (bytes) => {
    echoed += String(bytes);
  });
  again.write('ping');
  await until(
    () => echoed === 'ping',
    5000,
    () => 'the listener does not serve any more',
  );
  again.destroy();
  await listener.close();
  console.log(`echoed again after ${listener.accepted} connections`);
}

await main(process.argv[2] as 'shared' | 'events');
