/** How many operations go into one push. Pure. */

/** The current limit, which shrinks when the server refuses batches and grows back when it accepts them. */
export interface BatchLimit {
  /** The most operations that the next push may have. */
  readonly operations: number;
  /** How many times in a row the server failed (500) on a push under this limit. */
  readonly failures: number;
}

export const fullBatch = (maxOperations: number): BatchLimit => ({ operations: maxOperations, failures: 0 });

/** A single 500 may have nothing to do with the batch, so only repeated ones shrink it. */
const FAILURES_BEFORE_HALVING = 3;

/** After a push that succeeded: grows back by doubling. */
export function afterSuccess(limit: BatchLimit, maxOperations: number): BatchLimit {
  return { operations: Math.min(maxOperations, limit.operations * 2), failures: 0 };
}

export interface Halving {
  readonly limit: BatchLimit;
  /** The push had only one unit, so that unit is what the server refuses. */
  readonly single: boolean;
}

/**
 * After 400 or 413: half of the `size` operations that were sent, down to one transaction [C9]. `units`: how many
 * transactions and single operations they were.
 */
export function afterRefusal(size: number, units: number): Halving {
  return { limit: { operations: Math.max(1, Math.floor(size / 2)), failures: 0 }, single: units <= 1 };
}

/** After a 500: the same, once it has happened several times in a row. */
export function afterServerError(limit: BatchLimit, size: number, units: number): Halving {
  const failures = limit.failures + 1;
  if (failures < FAILURES_BEFORE_HALVING) return { limit: { ...limit, failures }, single: false };
  return afterRefusal(size, units);
}
