import { credentials, Metadata } from '@grpc/grpc-js';
import type { Log } from './log.ts';
import { readTlsMaterial } from './otlp-files.ts';
import { OTLP_CONCURRENCY } from './otlp-http-config.ts';
import type { OtlpSettings } from './settings.ts';

/** Settings of an OTLP exporter over gRPC, as its package takes them. */
export async function grpcConfig(settings: OtlpSettings, log: Log) {
  const material = await readTlsMaterial(settings, log);
  const secure = settings.url.startsWith('https:');
  return {
    url: settings.url,
    metadata: metadataOf(settings.headers, log),
    timeoutMillis: settings.timeoutMs,
    compression: settings.compression as never,
    concurrencyLimit: OTLP_CONCURRENCY,
    credentials: secure
      ? credentials.createSsl(
          material.ca ?? null,
          material.cert === undefined ? null : (material.key ?? null),
          material.key === undefined ? null : (material.cert ?? null),
        )
      : credentials.createInsecure(),
  };
}

function metadataOf(headers: Readonly<Record<string, string>>, log: Log): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) {
    try {
      metadata.set(name, value);
    } catch {
      log.warn({ header: name }, 'a header of the OTLP exporter is not valid gRPC metadata');
    }
  }
  return metadata;
}
