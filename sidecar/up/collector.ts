import { connect } from 'node:net';

/** The local OTLP/HTTP endpoint when something listens there (Jaeger, a collector), else null. */
export function findCollector(): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: OTLP_HTTP_PORT });
    const finish = (found: boolean) => {
      socket.destroy();
      resolve(found ? `http://127.0.0.1:${OTLP_HTTP_PORT}/v1/traces` : null);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => finish(false));
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

/** OTLP over HTTP (OpenTelemetry specification, protocol exporter). */
const OTLP_HTTP_PORT = 4318;
const CONNECT_TIMEOUT_MS = 500;
