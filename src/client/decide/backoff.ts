/** How long to wait after a failed request. Pure. */

/** Bounds of the wait after a failure, in ms. */
export interface BackoffOptions {
  /** The bound of the first wait; it doubles with each further failure. @default 1_000 */
  readonly minMs: number;
  /** The bound of any wait, not counting a `Retry-After`. @default 60_000 */
  readonly maxMs: number;
}

/** A longer `Retry-After`, in ms, is cut to this. */
const LONGEST_FLOOR_MS = 60 * 60 * 1_000;

/**
 * Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015): a wait drawn uniformly from (0, min ×
 * 2^attempt], capped, and never below min / 4. A thousand tills that lost the server together therefore don't return
 * together. The wait is added to `floorMs`, the server's `Retry-After` in ms: it names the earliest moment, and without
 * jitter all tills would return at exactly that moment. `unit`: uniform in [0, 1).
 */
export function backoffMs(attempt: number, floorMs: number, unit: number, options: BackoffOptions): number {
  const ceiling = Math.min(options.maxMs, options.minMs * 2 ** Math.min(attempt, 30));
  const wait = Math.max(options.minMs / 4, ceiling * (1 - unit));
  return Math.round(Math.min(floorMs, LONGEST_FLOOR_MS) + wait);
}
