/** Loyalty points. */

const CENTS_PER_POINT = 1_000;

/** Whole points only. A refund takes back as many as a payment of the same amount gives. */
export function pointsFor(cents: number): number {
  // `+ 0`: -0 is no valid counter step.
  return Math.trunc(cents / CENTS_PER_POINT) + 0;
}
