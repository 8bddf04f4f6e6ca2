import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/**
 * Picks loopback ports for a program that cannot bind port 0 itself. They are free at the moment of the answer and differ
 * from each other; nothing holds them, so start the program soon and check that it is the one that answers.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
