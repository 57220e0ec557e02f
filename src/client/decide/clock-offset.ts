/** The server's clock, as far as a till can know it. Pure. */

export interface OffsetSample {
  /** Server minus here, in ms: right within half of `roundTripMs`. */
  readonly offsetMs: number;
  readonly roundTripMs: number;
  /** `clock.monotonic()` when it was taken. */
  readonly takenAt: number;
}

const KEPT = 8;
const STALE_MS = 60 * 60 * 1_000;
const CONFIDENT_MS = 2_000;
/** Above this a cashier should be told that the clock of the till is wrong. */
export const SKEW_MS = 2 * 60 * 1_000;

export function addSample(samples: readonly OffsetSample[], sample: OffsetSample): readonly OffsetSample[] {
  return [...samples.filter((s) => sample.takenAt - s.takenAt < STALE_MS), sample].slice(-KEPT);
}

/**
 * The offset of the round trip with the least delay: its error is bounded by it. But the last sample wins where it contradicts the best
 * one beyond both their errors: then somebody has set the clock meanwhile.
 */
export function bestSample(samples: readonly OffsetSample[]): OffsetSample | undefined {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  const least = samples.reduce((best, s) => (s.roundTripMs <= best.roundTripMs ? s : best));
  const agree = Math.abs(least.offsetMs - last.offsetMs) <= (least.roundTripMs + last.roundTripMs) / 2;
  return agree ? least : last;
}

export function bestOffset(samples: readonly OffsetSample[]): {
  readonly offsetMs: number;
  readonly confidence: "none" | "low" | "high";
} {
  const best = bestSample(samples);
  if (best === undefined) return { offsetMs: 0, confidence: "none" };
  return { offsetMs: Math.round(best.offsetMs), confidence: best.roundTripMs <= CONFIDENT_MS ? "high" : "low" };
}

/** What an answer says: the server read its clock somewhere in the round trip. */
export function sampleOf(serverTime: number, roundTripMs: number, now: number, monotonic: number): OffsetSample {
  return { offsetMs: serverTime + roundTripMs / 2 - now, roundTripMs, takenAt: monotonic };
}
