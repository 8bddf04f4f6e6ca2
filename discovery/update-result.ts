/** What came of one answer, or of its absence; the label of `outrigger_discovery_updates_total`. */
export type UpdateResult = 'applied' | 'unchanged' | 'quarantined' | 'failed';

/** Called once per answer; counts, and nothing else. */
export type OnUpdate = (service: string, result: UpdateResult) => void;
