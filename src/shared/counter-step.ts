/** What a counter holds, and by what it can be moved: the wire's bounds for one step, on client and server alike. */

/** A counter's step or value: a safe integer, or a decimal string for declared decimal counters. */
export type CounterValue = number | string;

// No exponent, no plus sign.
const DECIMAL_STEP = /^-?\d{1,15}(?:\.\d{1,9})?$/;

/**
 * Whether a counter can be moved by it: a safe integer, or a decimal string like `"-12.50"` with at most 15 + 9 digits.
 */
export function isCounterStep(value: unknown): value is CounterValue {
  return Number.isSafeInteger(value) || (typeof value === "string" && DECIMAL_STEP.test(value));
}
