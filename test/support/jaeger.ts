import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from '../../sidecar/up/ports.ts';
import { findJaeger } from '../tools/jaeger.mjs';

const startTimeoutMs = 20_000;
const findTimeoutMs = 10_000;
const pollMs = 50;

/** A span as Jaeger's query API gives it, reduced to what tests compare. Ids in hex; no parent: null. */
export interface JaegerSpan {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly service: string;
  readonly tags: ReadonlyMap<string, string | number | boolean>;
}

/** A real Jaeger in memory, on loopback ports of its own. */
export interface Jaeger {
  readonly otlpGrpcEndpoint: string;
  readonly otlpHttpEndpoint: string;
  /** The spans of a trace, once there are at least `count` of them. Throws with what was there when they do not come. */
  spans(traceId: string, count: number): Promise<readonly JaegerSpan[]>;
  stop(): Promise<void>;
}

/** Starts the Jaeger that the test tools found, null when there is none: the test is then skipped. */
export async function startJaeger(): Promise<Jaeger | null> {
  const binary = findJaeger();
  if (binary === null) return null;
  const [query = 0, queryGrpc = 0, grpc = 0, http = 0, otlpGrpc = 0, otlpHttp = 0, admin = 0] =
    await freePorts(7);
  const at = (flag: string, port: number) => `--${flag}.host-port=127.0.0.1:${port}`;
  const child = spawn(
    binary,
    [
      '--log-level=error',
      '--memory.max-traces=10000',
      at('query.http-server', query),
      at('query.grpc-server', queryGrpc),
      at('collector.grpc-server', grpc),
      at('collector.http-server', http),
      at('collector.otlp.grpc', otlpGrpc),
      at('collector.otlp.http', otlpHttp),
      at('admin.http', admin),
    ],
    { env: { ...process.env, SPAN_STORAGE_TYPE: 'memory' }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let printed = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-4000);
  });
  try {
    await becomesReady(child, `http://127.0.0.1:${admin}/`);
  } catch (cause) {
    await stopped(child);
    throw new Error(`Jaeger does not start: ${printed}`, { cause });
  }
  return {
    otlpGrpcEndpoint: `http://127.0.0.1:${otlpGrpc}`,
    otlpHttpEndpoint: `http://127.0.0.1:${otlpHttp}`,
    spans: (traceId, count) => spansOf(`http://127.0.0.1:${query}/api/traces/${traceId}`, count),
    stop: () => stopped(child),
  };
}

async function becomesReady(child: ChildProcess, health: string): Promise<void> {
  const giveUpAt = Date.now() + startTimeoutMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`exit ${child.exitCode}`);
    const response = await fetch(health).catch(() => null);
    await response?.arrayBuffer();
    if (response?.status === 200) return;
    if (Date.now() > giveUpAt) throw new Error(`not ready after ${startTimeoutMs} ms`);
    await pause(pollMs);
  }
}

interface QueryAnswer {
  readonly data:
    | readonly {
        readonly spans: readonly {
          readonly spanID: string;
          readonly operationName: string;
          readonly processID: string;
          readonly references: readonly { readonly refType: string; readonly spanID: string }[];
          readonly tags: readonly {
            readonly key: string;
            readonly value: string | number | boolean;
          }[];
        }[];
        readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
      }[]
    | null;
}

async function spansOf(url: string, count: number): Promise<readonly JaegerSpan[]> {
  const giveUpAt = Date.now() + findTimeoutMs;
  for (;;) {
    const response = await fetch(url);
    const answer = (await response.json()) as QueryAnswer;
    const trace = answer.data?.[0];
    const spans = (trace?.spans ?? []).map((span) => ({
      spanId: span.spanID,
      parentSpanId: span.references.find((to) => to.refType === 'CHILD_OF')?.spanID ?? null,
      name: span.operationName,
      service: trace?.processes[span.processID]?.serviceName ?? '',
      tags: new Map(span.tags.map((tag) => [tag.key, tag.value])),
    }));
    if (spans.length >= count) return spans;
    if (Date.now() > giveUpAt) {
      throw new Error(
        `expected ${count} spans at ${url}, got ${spans.length}: ${JSON.stringify(spans)}`,
      );
    }
    await pause(pollMs);
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
