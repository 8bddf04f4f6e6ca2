import type { LogLevel } from './log.ts';

/** What the configuration file says about telemetry; the environment wins over it. */
export interface TelemetryOptions {
  readonly service: ServiceIdentity;
  /** Release of Outrigger: scope version of spans, `outrigger_build_info`. */
  readonly release: string;
  readonly trace: TraceOptions;
  readonly metrics: { readonly maxSeries: number; readonly idleSeriesMs: number };
  readonly accessLog: AccessLogOptions;
  readonly log: { readonly level: LogLevel };
  /** Title of a code of the error catalogue, null for an unknown one. */
  readonly explain: (code: string) => { readonly title: string } | null;
}

/** The application that spans and metrics speak for; empty where unknown. */
export interface ServiceIdentity {
  readonly name: string;
  /** Id of this instance in the registry. */
  readonly id: string;
  readonly zone: string;
  readonly region: string;
}

export interface TraceOptions {
  readonly enabled: boolean;
  readonly sampler: SamplerName;
  /** 0–1, for the ratio samplers. */
  readonly ratio: number;
  readonly propagators: readonly PropagatorName[];
  /** Empty: the service's name; `{service}` stands for it. */
  readonly serviceName: string;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** Failed requests whose root was not sampled are exported anyway, 10 spans a second at most. */
  readonly keepErrors: boolean;
  /** The same for slow ones; 0: off. */
  readonly keepSlowMs: number;
  /** Spans kept in memory. */
  readonly recent: number;
  readonly exporter: 'otlp' | 'console' | 'none';
  readonly otlp: {
    /** URL of the collector; empty: the default of the protocol. */
    readonly endpoint: string;
    readonly protocol: OtlpProtocol;
    readonly headers: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
    readonly compression: 'none' | 'gzip';
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
  };
  readonly batch: BatchOptions;
}

export interface BatchOptions {
  readonly delayMs: number;
  readonly timeoutMs: number;
  /** Spans that wait for export; beyond it they are dropped and counted. */
  readonly maxQueueSize: number;
  readonly maxBatchSize: number;
}

export interface AccessLogOptions {
  readonly filter: 'all' | 'errors' | 'sampled' | 'none';
  readonly format: 'json' | 'envoy' | 'clf';
  /** File, or `-` for standard output. */
  readonly path: string;
  /** Show the path as received, signatures and credentials replaced, instead of the template. */
  readonly rawPath: boolean;
}

export type OtlpProtocol = 'http/protobuf' | 'grpc';

export const SAMPLER_NAMES = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'jaeger_remote',
  'parentbased_jaeger_remote',
] as const;
export type SamplerName = (typeof SAMPLER_NAMES)[number];

export const PROPAGATOR_NAMES = [
  'tracecontext',
  'baggage',
  'b3',
  'b3multi',
  'jaeger',
  'xray',
  'none',
] as const;
export type PropagatorName = (typeof PROPAGATOR_NAMES)[number];
