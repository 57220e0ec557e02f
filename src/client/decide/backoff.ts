/** How long to wait after a failed request. Pure. */

export interface BackoffOptions {
  /** @default 1_000 */
  readonly minMs: number;
  /** @default 60_000 */
  readonly maxMs: number;
}

/** The longest that a `Retry-After` is believed, in ms. */
const LONGEST_FLOOR_MS = 60 * 60 * 1_000;

/**
 * Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015): uniform in (0, min × 2^attempt], capped; a thousand tills
 * that lost the server together don't come back together. `floorMs`, the server's `Retry-After`, is added to: it says when at the
 * earliest, and without jitter everybody would come exactly then. `unit`: uniform in [0, 1).
 */
export function backoffMs(attempt: number, floorMs: number, unit: number, options: BackoffOptions): number {
  const ceiling = Math.min(options.maxMs, options.minMs * 2 ** Math.min(attempt, 30));
  const wait = Math.max(options.minMs / 4, ceiling * (1 - unit));
  return Math.round(Math.min(floorMs, LONGEST_FLOOR_MS) + wait);
}
