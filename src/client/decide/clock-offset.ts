/** Estimates how far the server's clock is from this device's. Pure. */

import type { SyncPoint } from "../state/meta.ts";

export interface OffsetSample {
  /** The server's time minus this device's, in ms; the error is at most half of `roundTripMs`. */
  readonly offsetMs: number;
  readonly roundTripMs: number;
  /** `clock.monotonic()` when the sample was taken. */
  readonly takenAt: number;
}

const KEPT = 8;
const STALE_MS = 60 * 60 * 1_000;
const CONFIDENT_MS = 2_000;
/** Above this offset the app is told that the till's clock is wrong. */
export const SKEW_MS = 2 * 60 * 1_000;

/** Adds a sample, and drops those that are too old or too many. */
export function addSample(samples: readonly OffsetSample[], sample: OffsetSample): readonly OffsetSample[] {
  return [...samples.filter((s) => sample.takenAt - s.takenAt < STALE_MS), sample].slice(-KEPT);
}

/**
 * The sample with the shortest round trip, because that bounds its error. If the last sample contradicts it by more
 * than both their errors, the last one wins: the clock has been set in between.
 */
export function bestSample(samples: readonly OffsetSample[]): OffsetSample | undefined {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  const least = samples.reduce((best, s) => (s.roundTripMs <= best.roundTripMs ? s : best));
  const agree = Math.abs(least.offsetMs - last.offsetMs) <= (least.roundTripMs + last.roundTripMs) / 2;
  return agree ? least : last;
}

/** How far the server's clock is from this device's, and how that is known. */
export interface ClockOffset {
  readonly offsetMs: number;
  readonly confidence: "none" | "remembered" | "low" | "high";
}

const UNKNOWN: ClockOffset = { offsetMs: 0, confidence: "none" };

/**
 * The best estimate. `confidence` is `low` if even the best round trip was slow. Without any sample it is what was
 * remembered, or `none`.
 */
export function bestOffset(samples: readonly OffsetSample[], remembered: ClockOffset = UNKNOWN): ClockOffset {
  const best = bestSample(samples);
  if (best === undefined) return remembered;
  return { offsetMs: Math.round(best.offsetMs), confidence: best.roundTripMs <= CONFIDENT_MS ? "high" : "low" };
}

/**
 * What a client knows when it starts, from what the last one stored. The till's clock may have been set since. If it
 * was set back, the server's last answer shows that: the server's clock is not before that answer.
 *
 * @param now this device's clock
 */
export function rememberedOffset(
  { offsetMs, lastPushAt = 0, lastPullAt = 0 }: Pick<SyncPoint, "offsetMs" | "lastPushAt" | "lastPullAt">,
  now: number,
): ClockOffset {
  if (offsetMs === undefined) return UNKNOWN;
  const least = Math.max(lastPushAt, lastPullAt) - now;
  return { offsetMs: Math.max(offsetMs, least), confidence: "remembered" };
}

/**
 * The sample that an answer gives: the server read its clock at some moment of the round trip. `now` and `monotonic`
 * are this device's clocks when the answer arrived.
 */
export function sampleOf(serverTime: number, roundTripMs: number, now: number, monotonic: number): OffsetSample {
  return { offsetMs: serverTime + roundTripMs / 2 - now, roundTripMs, takenAt: monotonic };
}
