/** One instance of a service, as a registry lists it. */
export interface EndpointSpec {
  /** Stable while the instance lives: node and service id, or `address:port`. */
  readonly id: string;
  /** IPv4, IPv6 without brackets, or a name to resolve when connecting. */
  readonly address: string;
  readonly port: number;
  /** Relative capacity, 0–65535; 0 is listed but gets no traffic outside panic. */
  readonly weight: number;
  /** Empty when unknown. */
  readonly zone: string;
  readonly region: string;
  readonly health: 'passing' | 'critical' | 'maintenance';
  readonly tags: readonly string[];
  readonly meta: ReadonlyMap<string, string>;
}

/** A registry's answer: the whole list, never a delta, or why there is none. */
export type Resolution =
  | { readonly ok: true; readonly endpoints: readonly EndpointSpec[] }
  | { readonly ok: false; readonly error: Error };

/** Follows services in one registry. */
export interface Resolver {
  /**
   * Calls back with every changed answer until the returned function is called; after that, silence.
   * Never calls back before it has returned. An error never takes back an earlier list.
   */
  watch(service: string, onChange: (resolution: Resolution) => void): () => void;
  /** Facts for the admin API and metrics: age of the data, quarantine and so on; null when the service is not watched. */
  status(service: string): ResolverStatus | null;
  /** Ends every watch and closes what it holds open. */
  close(): Promise<void>;
}

export interface ResolverStatus {
  readonly service: string;
  /** Name of the source: `consul`, `static`, `dns`. */
  readonly source: string;
  /** Milliseconds since the registry last confirmed this list; null before the first answer. */
  readonly ageMs: number | null;
  /** The list in force came from disk and has not been confirmed since. */
  readonly fromSnapshot: boolean;
  /** Why removals are held back, or null. */
  readonly quarantine: string | null;
  /** The last error, in one sentence, or null when the last answer was good. */
  readonly lastError: string | null;
}
