/** Which client may talk to the server, on platforms without locks. Pure. */

/** The row `lease` of the table `meta`. */
export interface StoredLease {
  /** The id of a client. */
  readonly holder: string;
  /** Epoch ms, by the wall clock that all clients of one store share. */
  readonly until: number;
}

/**
 * Returns the lease after `holder` has asked for one of `ms` milliseconds; `undefined` if another client has it. A
 * lease that ends later than any that could be given now was written before the clock was set back. It is ignored,
 * because otherwise it could hold up sync for as long as the clock was wrong.
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
