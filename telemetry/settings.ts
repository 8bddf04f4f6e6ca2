import type { BatchOptions, OtlpProtocol, PropagatorName, SamplerName } from './options.ts';

/** What is in force: the file with the environment over it. */
export interface TelemetrySettings {
  /** All signals off, propagation stays on (`OTEL_SDK_DISABLED`). */
  readonly disabled: boolean;
  /** Least severe diagnostics of the SDK that reach the process log. */
  readonly diagLevel: DiagLevel;
  readonly serviceName: string;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly propagators: readonly PropagatorName[];
  readonly sampler: SamplerSettings;
  readonly tracesExporters: readonly ('otlp' | 'console')[];
  readonly metricsExporters: readonly ('otlp' | 'prometheus' | 'console')[];
  readonly traces: OtlpSettings;
  readonly metrics: OtlpSettings;
  readonly batch: BatchOptions;
  readonly spanLimits: SpanLimitSettings;
  readonly metricIntervalMs: number;
  readonly metricTimeoutMs: number;
  readonly temporality: 'cumulative' | 'delta' | 'lowmemory';
  readonly prometheus: PrometheusSettings;
  /** Add the pre-stable HTTP attribute names (`OTEL_SEMCONV_STABILITY_OPT_IN=http/dup`). */
  readonly duplicateHttpNames: boolean;
  /** Null: the default list. */
  readonly knownMethods: readonly string[] | null;
}

export type DiagLevel = 'none' | 'error' | 'warn' | 'info' | 'debug' | 'verbose' | 'all';

export interface SamplerSettings {
  readonly name: SamplerName;
  readonly ratio: number;
  /** Strategy server of the `jaeger_remote` samplers; the ratio serves until its first answer. */
  readonly remoteEndpoint: string;
  readonly remotePollMs: number;
}

/** One OTLP exporter. Paths are PEM files, empty for none. */
export interface OtlpSettings {
  readonly protocol: OtlpProtocol;
  /** For HTTP the full URL, for gRPC scheme and authority. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly compression: 'none' | 'gzip';
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** The port of its own that serves the metrics. */
export interface PrometheusSettings {
  readonly host: string;
  readonly port: number;
  /** Somebody named exporter, host or port: false while it is only the default. */
  readonly asked: boolean;
}

/** Infinity for no limit. */
export interface SpanLimitSettings {
  readonly valueLength: number;
  readonly attributes: number;
  readonly events: number;
  readonly links: number;
  readonly attributesPerEvent: number;
  readonly attributesPerLink: number;
}
