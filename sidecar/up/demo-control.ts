import { request as send } from 'node:http';
import type { Disturbance } from './demo-service.ts';

/** Tells a demo application how to behave from now on. False when it did not take it. */
export function disturb(port: number, token: string, disturbance: Disturbance): Promise<boolean> {
  return new Promise((resolve) => {
    const request = send(
      {
        host: '127.0.0.1',
        port,
        path: '/__control',
        method: 'POST',
        headers: { 'outrigger-demo-control': token, 'content-type': 'application/json' },
        agent: false,
      },
      (response) => {
        response.resume();
        response.once('close', () => resolve(response.statusCode === 200));
      },
    );
    request.setTimeout(TIMEOUT_MS, () => request.destroy());
    request.once('close', () => resolve(false));
    request.once('error', () => resolve(false));
    request.end(JSON.stringify(disturbance));
  });
}

const TIMEOUT_MS = 2000;
