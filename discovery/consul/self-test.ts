import { type ConsulTransport, consulPath } from './transport.ts';

const TIMEOUT_MS = 10_000;

/**
 * Whether our token may read services. Without that right Consul answers 200 with empty lists, so an
 * empty list proves nothing; but every datacentre lists its servers as the service `consul`.
 */
export async function canReadServices(
  transport: ConsulTransport,
  signal?: AbortSignal,
): Promise<boolean> {
  const listed = await readList(transport, consulPath`/v1/catalog/service/${'consul'}`, signal);
  return listed !== null && listed.length > 0;
}

/** Whether Consul lists one instance of ours; null when it did not answer. */
export async function isListed(
  transport: ConsulTransport,
  service: string,
  serviceId: string,
): Promise<boolean | null> {
  const listed = await readList(transport, consulPath`/v1/catalog/service/${service}`);
  if (listed === null) return null;
  return listed.some((entry) => (entry as { ServiceID?: unknown } | null)?.ServiceID === serviceId);
}

async function readList(
  transport: ConsulTransport,
  path: string,
  signal?: AbortSignal,
): Promise<readonly unknown[] | null> {
  const outcome = await transport.request({
    method: 'GET',
    path,
    timeoutMs: TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  if (!outcome.ok || outcome.status !== 200) return null;
  try {
    const parsed: unknown = JSON.parse(outcome.body.toString());
    return Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}
