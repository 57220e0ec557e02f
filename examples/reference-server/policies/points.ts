/** Loyalty. */

const CENTS_PER_POINT = 1_000;

/** Whole points only; of what was given back as many as of what was paid. */
export function pointsFor(cents: number): number {
  // `+ 0`: a counter takes no -0.
  return Math.trunc(cents / CENTS_PER_POINT) + 0;
}
