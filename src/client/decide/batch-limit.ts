/** How much goes into one push. Pure. */

export interface BatchLimit {
  readonly operations: number;
  /** How often in a row the server failed (500) on this much. */
  readonly failures: number;
}

export const fullBatch = (maxOperations: number): BatchLimit => ({ operations: maxOperations, failures: 0 });

/** A server that fails on a batch may be failing on everything: only repetition speaks against the batch. */
const FAILURES_BEFORE_HALVING = 3;

/** After a push of `size` operations that succeeded: grows back by doubling. */
export function afterSuccess(limit: BatchLimit, maxOperations: number): BatchLimit {
  return { operations: Math.min(maxOperations, limit.operations * 2), failures: 0 };
}

export interface Halving {
  readonly limit: BatchLimit;
  /** One unit is left, and it is the trouble. */
  readonly single: boolean;
}

/** After 400 or 413: half of it, down to one transaction [C9]. */
export function afterRefusal(size: number, units: number): Halving {
  return { limit: { operations: Math.max(1, Math.floor(size / 2)), failures: 0 }, single: units <= 1 };
}

/** After a 500: the same, once it has repeated. */
export function afterServerError(limit: BatchLimit, size: number, units: number): Halving {
  const failures = limit.failures + 1;
  if (failures < FAILURES_BEFORE_HALVING) return { limit: { ...limit, failures }, single: false };
  return afterRefusal(size, units);
}
