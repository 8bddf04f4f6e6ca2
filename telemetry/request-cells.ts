import type { Counter, Gauge } from './cell.ts';
import type { CounterName, GaugeName, HistogramName } from './families.ts';
import type { LabelValue } from './family.ts';
import type { Histogram } from './histogram.ts';
import type { MethodNames } from './method-names.ts';
import { attemptOutcome, clientError, failed, serverError } from './outcome.ts';
import type { AttemptRecord, RequestRecord } from './record.ts';

/** What the requests of one route have in common; labels are made of it. */
export interface RequestCellsOptions {
  readonly direction: 'inbound' | 'outbound';
  /** Service of the registry; empty for requests that match no route, which are labelled `_unrouted`. */
  readonly service: string;
  /** Logical name and port of the callee, never an endpoint's; used for outbound with a service. */
  readonly serverAddress: string;
  readonly serverPort: number;
  /** Template for `http.route`, or null. */
  readonly template: string | null;
  readonly scheme: string;
}

/** Where cells come from. */
export interface CellSource {
  /** Changes when series were dropped: cells that are not held must be looked up again. */
  readonly generation: number;
  looseHistogram(name: HistogramName, values: readonly LabelValue[], owner: string): Histogram;
  looseCounter(name: CounterName, values: readonly LabelValue[], owner: string): Counter;
  gauge(name: GaugeName, ...values: readonly LabelValue[]): Gauge;
}

/** What the attempts into one zone are counted in. */
interface ZoneCells {
  readonly bytes: Counter;
  readonly byReason: Map<string, Counter>;
}

const STATUSES = 1000;
/** Service and server of requests that match no route; no service of a registry is named so. */
const UNROUTED = '_unrouted';

/**
 * The cells of one route. `begin` at the start of a request, `record` at its end; the cell of a new
 * combination of method, status, version and failure is looked up once and then found by number.
 */
export class RequestCells {
  readonly #options: Omit<RequestCellsOptions, 'serverPort'> & { readonly serverPort: LabelValue };
  readonly #source: CellSource;
  readonly #methods: MethodNames;
  readonly #active: (Gauge | undefined)[] = [];
  readonly #durations = new Map<number, Histogram>();
  readonly #codes = new Map<string, number>();
  readonly #errors = new Map<string, Counter>();
  readonly #picks = new Map<string, Counter>();
  readonly #zones = new Map<string, ZoneCells>();
  readonly #retries = new Map<string, Map<string, Counter>>();
  #ok: Histogram | null = null;
  #failed: Histogram | null = null;
  #declined: Counter | null = null;
  #generation: number;

  constructor(options: RequestCellsOptions, source: CellSource, methods: MethodNames) {
    this.#options =
      options.service === ''
        ? { ...options, service: UNROUTED, serverAddress: UNROUTED, serverPort: null }
        : options;
    this.#source = source;
    this.#methods = methods;
    this.#generation = source.generation;
  }

  /** A request has been accepted; it is active until it is recorded. */
  begin(method: string): void {
    this.#activeOf(method).value++;
  }

  /** An endpoint declined: no attempt, no error, only this count. */
  declined(): void {
    this.#refresh();
    const { service, direction } = this.#options;
    this.#declined ??= this.#counter('outrigger_lb_declines_total', [service, direction]);
    this.#declined.add();
  }

  /** Counts a request that has ended. Called by the recorder alone. */
  record(request: RequestRecord): void {
    this.#refresh();
    const active = this.#activeOf(request.method);
    if (active.value > 0) active.value--;
    if (request.code !== null) this.#errorOf(request.code).add();
    const seconds = (request.endMs - request.startMs) / 1000;
    if (this.#options.direction === 'inbound') {
      const error = serverError(request.status, request.code);
      const { method, version, status, code } = request;
      this.#durationOf(method, version, status, code, error).record(seconds);
    } else this.#recordOutbound(request, seconds);
  }

  #recordOutbound(request: RequestRecord, seconds: number): void {
    (failed(request) ? this.#failedDuration() : this.#okDuration()).record(seconds);
    const { attempts } = request;
    if (attempts.length === 0) {
      const error = clientError(request.status, request.code);
      this.#durationOf(request.method, request.version, 0, request.code, error).record(seconds);
      return;
    }
    for (let index = 0; index < attempts.length; index++) {
      this.#recordAttempt(request, attempts[index] as AttemptRecord);
    }
    const last = attempts[attempts.length - 1] as AttemptRecord;
    if (last.zone !== '') {
      this.#zoneOf(request.localZone, last.zone).bytes.add(request.bytesIn + request.bytesOut);
    }
  }

  #recordAttempt(request: RequestRecord, attempt: AttemptRecord): void {
    const endMs = attempt.endMs === 0 ? request.endMs : attempt.endMs;
    const error = clientError(attempt.status, attempt.code);
    const version = attempt.version ?? '1.1';
    this.#durationOf(request.method, version, attempt.status, attempt.code, error).record(
      (endMs - attempt.startMs) / 1000,
    );
    this.#pickOf(attempt.lbReason).add();
    if (attempt.zone !== '') this.#zoneRequestOf(request.localZone, attempt).add();
    if (attempt.retryReason !== null) {
      const outcome = attemptOutcome(attempt) === 'ok' ? 'ok' : 'failed';
      this.#retryOf(attempt.retryReason, outcome).add();
    }
    if (attempt.retryDenied !== null) this.#retryOf(attempt.retryDenied, 'denied').add();
  }

  #durationOf(
    method: string,
    version: string,
    status: number,
    code: string | null,
    error: string | null,
  ): Histogram {
    const methodIndex = this.#methods.indexOf(method);
    const key =
      ((this.#codeIndex(code) * 64 + methodIndex) * 4 + versionIndex(version)) * STATUSES + status;
    let cell = this.#durations.get(key);
    if (cell === undefined) {
      cell = this.#makeDuration(this.#methods.nameAt(methodIndex), status, version, error);
      this.#durations.set(key, cell);
    }
    return cell;
  }

  #makeDuration(method: string, status: number, version: string, error: string | null): Histogram {
    const { direction, scheme, template, serverAddress, serverPort, service } = this.#options;
    const sent = status === 0 ? null : status;
    const spoken = version === '' ? null : version;
    if (direction === 'inbound') {
      return this.#source.looseHistogram(
        'http.server.request.duration',
        [method, scheme, sent, template, spoken, error],
        service,
      );
    }
    return this.#source.looseHistogram(
      'http.client.request.duration',
      [method, sent, serverAddress, serverPort, spoken, error],
      service,
    );
  }

  /** 0 for none; codes come from the catalogue, so there are few. */
  #codeIndex(code: string | null): number {
    if (code === null) return 0;
    let index = this.#codes.get(code);
    if (index === undefined) this.#codes.set(code, (index = this.#codes.size + 1));
    return index;
  }

  #activeOf(method: string): Gauge {
    const { direction, scheme, serverAddress, serverPort } = this.#options;
    const index = direction === 'inbound' ? this.#methods.indexOf(method) : 0;
    return (this.#active[index] ??=
      direction === 'inbound'
        ? this.#source.gauge('http.server.active_requests', this.#methods.nameAt(index), scheme)
        : this.#source.gauge('http.client.active_requests', serverAddress, serverPort));
  }

  #okDuration(): Histogram {
    return (this.#ok ??= this.#source.looseHistogram(
      'outrigger_request_duration_seconds',
      [this.#options.service, 'ok'],
      this.#options.service,
    ));
  }

  #failedDuration(): Histogram {
    return (this.#failed ??= this.#source.looseHistogram(
      'outrigger_request_duration_seconds',
      [this.#options.service, 'error'],
      this.#options.service,
    ));
  }

  #errorOf(code: string): Counter {
    const known = this.#errors.get(code);
    if (known !== undefined) return known;
    const { service, direction } = this.#options;
    const cell = this.#counter('outrigger_errors_total', [service, direction, code]);
    this.#errors.set(code, cell);
    return cell;
  }

  #pickOf(reason: string): Counter {
    const known = this.#picks.get(reason);
    if (known !== undefined) return known;
    const cell = this.#counter('outrigger_lb_picks_total', [this.#options.service, reason]);
    this.#picks.set(reason, cell);
    return cell;
  }

  #zoneOf(from: string, to: string): ZoneCells {
    const known = this.#zones.get(to);
    if (known !== undefined) return known;
    const bytes = this.#counter('outrigger_zone_bytes_total', [this.#options.service, from, to]);
    const cells: ZoneCells = { bytes, byReason: new Map() };
    this.#zones.set(to, cells);
    return cells;
  }

  #zoneRequestOf(from: string, attempt: AttemptRecord): Counter {
    const { byReason } = this.#zoneOf(from, attempt.zone);
    const known = byReason.get(attempt.lbReason);
    if (known !== undefined) return known;
    const values = [this.#options.service, from, attempt.zone, attempt.lbReason];
    const cell = this.#counter('outrigger_zone_requests_total', values);
    byReason.set(attempt.lbReason, cell);
    return cell;
  }

  #retryOf(reason: string, outcome: string): Counter {
    let byOutcome = this.#retries.get(reason);
    if (byOutcome === undefined) this.#retries.set(reason, (byOutcome = new Map()));
    let cell = byOutcome.get(outcome);
    if (cell === undefined) {
      cell = this.#counter('outrigger_retries_total', [this.#options.service, reason, outcome]);
      byOutcome.set(outcome, cell);
    }
    return cell;
  }

  #counter(name: CounterName, values: readonly LabelValue[]): Counter {
    return this.#source.looseCounter(name, values, this.#options.service);
  }

  /** Series were dropped: cells found before may belong to nobody. */
  #refresh(): void {
    if (this.#generation === this.#source.generation) return;
    this.#generation = this.#source.generation;
    this.#durations.clear();
    this.#errors.clear();
    this.#picks.clear();
    this.#zones.clear();
    this.#retries.clear();
    this.#ok = null;
    this.#failed = null;
    this.#declined = null;
  }
}

function versionIndex(version: string): number {
  return version === '1.1' ? 0 : version === '2' ? 1 : version === '1.0' ? 2 : 3;
}
