import type { RequestHead } from '../../sidecar/message/head.ts';
import { HeaderList } from '../../sidecar/message/headers.ts';

/** A request as a server codec would hand it on: by default a GET without a body. */
export function requestHead(options: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    scheme: 'http',
    authority: 'orders',
    path: '/',
    version: '1.1',
    protocol: null,
    headers: HeaderList.of(),
    contentLength: null,
    ended: true,
    ...options,
  };
}
