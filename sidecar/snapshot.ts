import type { RequestCells } from '../telemetry/request-cells.ts';
import type { RouteTable } from './route/table.ts';

/** Immutable view that new requests start with; replaced as a whole when the configuration changes. */
export interface Snapshot {
  readonly generation: number;
  /** Where we are; empty when unknown. */
  readonly zone: string;
  /** One table per listener, by the listener's name. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** For connections of a listener that is not, or no longer, in the configuration: no route. */
  readonly closed: Entry;
}

/** What one listener does with requests. */
export interface Entry {
  readonly direction: 'inbound' | 'outbound';
  readonly table: RouteTable;
  /** Counts requests that match no route. */
  readonly unrouted: RequestCells;
  /** Believe the trace context that arrives; otherwise every request starts a trace of its own. */
  readonly trustIncoming: boolean;
  /** Believe the deadline and the attempt number of callers who proved no identity. */
  readonly trustPlaintext: boolean;
}

/** The current value of something that is replaced as a whole. */
export class Live<T> {
  #current: T;

  constructor(initial: T) {
    this.#current = initial;
  }

  get current(): T {
    return this.#current;
  }

  publish(next: T): void {
    this.#current = next;
  }
}
