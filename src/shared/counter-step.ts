/** What a counter can be moved by: the wire's bounds for one step, which hold on the till as on the server. */

// No exponent, no plus.
const DECIMAL_STEP = /^-?\d{1,15}(?:\.\d{1,9})?$/;

/** Whether a counter can be moved by it: a safe integer, or a decimal string such as `"-12.50"` of at most 15 + 9 digits. */
export function isCounterStep(value: unknown): value is number | string {
  return Number.isSafeInteger(value) || (typeof value === "string" && DECIMAL_STEP.test(value));
}
