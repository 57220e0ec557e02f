/** What a till can know of the server's clock. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addSample,
  bestOffset,
  type OffsetSample,
  rememberedOffset,
  sampleOf,
} from "../../../src/client/decide/clock-offset.ts";

const sample = (offsetMs: number, roundTripMs: number, takenAt = 0): OffsetSample => ({
  offsetMs,
  roundTripMs,
  takenAt,
});
const HOUR = 3_600_000;

test("without a contact there is no correction, and no confidence", () => {
  expect(bestOffset([])).toEqual({ offsetMs: 0, confidence: "none" });
});

test("the true offset lies within half of the round trip, wherever in it the server looked at its clock", async () => {
  await fc.assert(
    fc.property(
      fc.integer({ min: -HOUR, max: HOUR }),
      fc.integer({ min: 0, max: 10_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (trueOffset, roundTripMs, share) => {
        const asked = 1_000_000;
        const answered = asked + roundTripMs;
        const serverTime = asked + roundTripMs * share + trueOffset;
        const { offsetMs } = sampleOf(serverTime, roundTripMs, answered, 0);
        expect(Math.abs(offsetMs - trueOffset)).toBeLessThanOrEqual(roundTripMs / 2 + 1e-6);
      },
    ),
  );
});

describe("of several answers", () => {
  test("the one with the least delay counts", () => {
    expect(bestOffset([sample(900, 2_000), sample(60, 20), sample(300, 700)]).offsetMs).toBe(60);
  });

  test("the last one counts where it contradicts the best beyond both errors: the clock was set meanwhile", () => {
    expect(bestOffset([sample(60, 20), sample(HOUR, 400)]).offsetMs).toBe(HOUR);
  });

  test("the last one does not count where its own error explains the difference", () => {
    expect(bestOffset([sample(60, 20), sample(200, 400)]).offsetMs).toBe(60);
  });

  test("both errors together explain a difference of half of both delays, and nothing beyond it", () => {
    expect(bestOffset([sample(60, 20), sample(270, 400)]).offsetMs).toBe(60);
    expect(bestOffset([sample(60, 20), sample(271, 400)]).offsetMs).toBe(271);
  });

  test("of equal delays the later one counts", () => {
    expect(bestOffset([sample(100, 50), sample(110, 50)]).offsetMs).toBe(110);
  });
});

test("the confidence is that of the answer that counts", () => {
  expect(bestOffset([sample(0, 2_000)]).confidence).toBe("high");
  expect(bestOffset([sample(0, 2_001)]).confidence).toBe("low");
});

test("the offset is a whole number of milliseconds", () => {
  expect(bestOffset([sample(10.5, 1)]).offsetMs).toBe(11);
});

describe("what is remembered", () => {
  test("is the last eight answers", () => {
    const all = Array.from({ length: 12 }, (_, index) => sample(index, 10, index));
    const kept = all.reduce<readonly OffsetSample[]>((samples, next) => addSample(samples, next), []);
    expect(kept.map(({ offsetMs }) => offsetMs)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test("is of the last hour: clocks drift", () => {
    const kept = addSample([sample(1, 5, 0), sample(2, 5, 1)], sample(3, 500, HOUR));
    expect(kept.map(({ offsetMs }) => offsetMs)).toEqual([2, 3]);
  });
});

describe("what a start remembers", () => {
  test("is what the last answer left, until the first sample", () => {
    const remembered = rememberedOffset({ offsetMs: 5_000, lastPullAt: 100_000 }, 200_000);
    expect(remembered).toEqual({ offsetMs: 5_000, confidence: "remembered" });
    expect(bestOffset([], remembered)).toEqual(remembered);
    expect(bestOffset([sample(7, 100)], remembered)).toEqual({ offsetMs: 7, confidence: "high" });
  });

  test("is nothing in a store that no server has answered", () => {
    expect(rememberedOffset({}, 200_000)).toEqual({ offsetMs: 0, confidence: "none" });
  });

  test("never leads to a time before the last answer, whatever the till's clock says", () => {
    fc.assert(
      fc.property(
        fc.record({ offsetMs: fc.integer(), lastPushAt: fc.nat(), lastPullAt: fc.nat(), now: fc.nat() }),
        ({ now, ...point }) => {
          const { offsetMs } = rememberedOffset(point, now);
          expect(now + offsetMs).toBeGreaterThanOrEqual(Math.max(point.lastPushAt, point.lastPullAt));
          expect(offsetMs).toBeGreaterThanOrEqual(point.offsetMs);
        },
      ),
    );
  });
});
