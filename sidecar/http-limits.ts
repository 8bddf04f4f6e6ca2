import type { Config } from './config/schema.ts';
import { defaultHttp1Limits, type Http1Limits } from './http1/limits.ts';

/** The parser's limits as configured; what has no key keeps the default of the codec. */
export function httpLimits({ http }: Config): Http1Limits {
  return {
    ...defaultHttp1Limits,
    maxTargetBytes: http.maxTargetBytes,
    maxLineBytes: http.maxFieldBytes,
    maxHeadBytes: http.maxHeadBytes,
    maxFields: http.maxFields,
    maxTrailerBytes: http.maxTrailerBytes,
    maxTrailerFields: http.maxTrailerFields,
    headTimeoutMs: http.headTimeoutMs,
    idleTimeoutMs: http.idleTimeoutMs,
    bodyIdleTimeoutMs: http.bodyIdleTimeoutMs,
    minBodyBytesPerSecond: http.minBodyBytesPerSecond,
    stallTimeoutMs: http.stallTimeoutMs,
  };
}
