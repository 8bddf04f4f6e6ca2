/** Shape of one metric family; names and labels are an interface (`telemetry.md` §6). */
export interface FamilySpec {
  readonly type: 'counter' | 'upDownCounter' | 'gauge' | 'histogram';
  /** UCUM: `s`, `By`, `1`, or a word in braces. */
  readonly unit: string;
  readonly description: string;
  readonly labels: readonly string[];
}

const SERVER = ['server.address', 'server.port'] as const;

/** Every family Outrigger can emit. One without series is not emitted. */
export const families = {
  'http.server.request.duration': {
    type: 'histogram',
    unit: 's',
    description: 'Duration of inbound requests.',
    labels: [
      'http.request.method',
      'url.scheme',
      'http.response.status_code',
      'http.route',
      'network.protocol.version',
      'error.type',
    ],
  },
  'http.client.request.duration': {
    type: 'histogram',
    unit: 's',
    description: 'Duration of outbound attempts; a request that was never sent counts once.',
    labels: [
      'http.request.method',
      'http.response.status_code',
      ...SERVER,
      'network.protocol.version',
      'error.type',
    ],
  },
  'http.server.active_requests': {
    type: 'upDownCounter',
    unit: '{request}',
    description: 'Inbound requests in flight.',
    labels: ['http.request.method', 'url.scheme'],
  },
  'http.client.active_requests': {
    type: 'upDownCounter',
    unit: '{request}',
    description: 'Outbound requests in flight.',
    labels: SERVER,
  },
  'http.client.open_connections': {
    type: 'upDownCounter',
    unit: '{connection}',
    description: 'Connections to upstreams.',
    labels: [...SERVER, 'http.connection.state'],
  },
  'nodejs.eventloop.delay.p50': loopDelay('Median'),
  'nodejs.eventloop.delay.p90': loopDelay('90th percentile'),
  'nodejs.eventloop.delay.p99': loopDelay('99th percentile'),
  'nodejs.eventloop.delay.max': loopDelay('Maximum'),
  'nodejs.eventloop.utilization': {
    type: 'gauge',
    unit: '1',
    description: 'Share of time in which the event loop was busy since the last collection.',
    labels: [],
  },
  'v8js.memory.heap.used': {
    type: 'upDownCounter',
    unit: 'By',
    description: 'Heap in use.',
    labels: [],
  },
  outrigger_request_duration_seconds: {
    type: 'histogram',
    unit: 's',
    description: 'Outbound requests as the application saw them, retries included.',
    labels: ['service', 'outcome'],
  },
  outrigger_errors_total: counter('Requests that ended with a code of the error catalogue.', [
    'service',
    'direction',
    'code',
  ]),
  outrigger_upstream_endpoints: gauge('Endpoints by state.', ['service', 'zone', 'state']),
  outrigger_lb_picks_total: counter('Choices of an endpoint.', ['service', 'reason']),
  outrigger_lb_declines_total: counter('Requests declined by an endpoint and sent elsewhere.', [
    'service',
    'direction',
  ]),
  outrigger_zone_requests_total: counter('Attempts by zone of caller and endpoint.', [
    'service',
    'from',
    'to',
    'reason',
  ]),
  outrigger_zone_bytes_total: {
    type: 'counter',
    unit: 'By',
    description: 'Body bytes both ways by zone of caller and endpoint.',
    labels: ['service', 'from', 'to'],
  },
  outrigger_ejections_total: counter('Decisions of the outlier detection.', [
    'service',
    'detector',
    'outcome',
  ]),
  outrigger_ejected_endpoints: gauge('Endpoints ejected now.', ['service']),
  outrigger_retries_total: counter('Retries sent, by cause, and refused, by ground.', [
    'service',
    'reason',
    'outcome',
  ]),
  outrigger_retry_budget_tokens: gauge('Retries the budget allows now.', ['service']),
  outrigger_overflow_total: counter('Times that a limit was hit.', ['service', 'limit']),
  outrigger_queue_depth: gauge('Requests that wait.', ['service']),
  outrigger_connections: gauge('Connections.', ['direction', 'state']),
  outrigger_connections_refused_total: counter('Connections refused.', ['reason']),
  outrigger_discovery_age_seconds: {
    type: 'gauge',
    unit: 's',
    description: 'Time since the registry last confirmed the endpoints.',
    labels: ['service'],
  },
  outrigger_discovery_updates_total: counter('Answers of the registry.', ['service', 'result']),
  outrigger_config_generation: gauge('Generation of the configuration in force.', []),
  outrigger_config_rejected_total: counter('Configurations that were rejected.', []),
  outrigger_trace_context_total: counter('Requests by presence of a trace context.', [
    'direction',
    'present',
  ]),
  outrigger_telemetry_dropped_total: counter('Telemetry that was lost.', ['signal', 'reason']),
  outrigger_metric_series: gauge('Series by metric family.', ['family']),
  outrigger_drain_state: gauge('0: serving, 1: draining.', []),
  outrigger_bugs_total: counter('Unexpected exceptions.', []),
  outrigger_build_info: gauge('Constant 1, labelled with the release.', ['version']),
} as const satisfies Record<string, FamilySpec>;

export type FamilyName = keyof typeof families;
type NameOf<T extends FamilySpec['type']> = {
  [N in FamilyName]: (typeof families)[N]['type'] extends T ? N : never;
}[FamilyName];
export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge' | 'upDownCounter'>;
export type HistogramName = NameOf<'histogram'>;

function counter<const L extends readonly string[]>(description: string, labels: L) {
  return { type: 'counter', unit: '1', description, labels } as const;
}

function gauge<const L extends readonly string[]>(description: string, labels: L) {
  return { type: 'gauge', unit: '', description, labels } as const;
}

function loopDelay(which: string) {
  return {
    type: 'gauge',
    unit: 's',
    description: `${which} of the event loop delay over the last ten seconds or more.`,
    labels: [],
  } as const;
}
