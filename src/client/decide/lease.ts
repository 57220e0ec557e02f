/** Who may talk to the server where the platform has no locks. Pure. */

/** meta/lease */
export interface StoredLease {
  readonly holder: string;
  /** By the wall clock, which all clients of one store share. */
  readonly until: number;
}

/**
 * The lease as it is after `holder` has asked for it; `undefined`: it is another's. One that reaches further ahead than anybody can be
 * given was written before the clock was set back, and binds nobody: it could hold up sync for as long as the clock was wrong.
 */
export function decideLease(
  stored: StoredLease | undefined,
  holder: string,
  now: number,
  ms: number,
): StoredLease | undefined {
  const isAnothers = stored !== undefined && stored.holder !== holder;
  if (isAnothers && stored.until > now && stored.until <= now + ms) return undefined;
  return { holder, until: now + ms };
}
