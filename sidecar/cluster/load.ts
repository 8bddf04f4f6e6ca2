/** What a cluster knows about the traffic it sent, kept while pickers are replaced. */
export class ClusterLoad {
  readonly #attempts = new Map<string, number>();

  /** Counts an attempt sent to a zone. */
  sent(zone: string): void {
    this.#attempts.set(zone, (this.#attempts.get(zone) ?? 0) + 1);
  }

  /** Attempts sent to a zone since the cluster first had a member there. */
  attempts(zone: string): number {
    return this.#attempts.get(zone) ?? 0;
  }

  /** Forgets zones that have no member any more, so that renamed zones do not pile up. */
  keepOnly(zones: ReadonlySet<string>): void {
    for (const zone of this.#attempts.keys()) if (!zones.has(zone)) this.#attempts.delete(zone);
  }
}
