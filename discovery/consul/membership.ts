/** Whether and how the local instance is in the registry. No method rejects. */
export interface Membership {
  /** Resolves after the first attempt, true when it succeeded; goes on trying until `deregister`. */
  start(): Promise<boolean>;
  /** Takes the instance out of every caller's choice while it still serves. False when the registry could not be told. */
  maintain(reason: string): Promise<boolean>;
  /** Ends the membership; an instance that is unknown already counts as removed. */
  deregister(): Promise<boolean>;
  status(): MembershipStatus;
}

export interface MembershipStatus {
  /** The registry's agent knew us when it was last asked. */
  readonly registered: boolean;
  /** Whether our token may read services; null until known. */
  readonly canRead: boolean | null;
  readonly lastError: string | null;
}
