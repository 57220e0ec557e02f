/** How long a till waits before it tries again. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "../../../src/client/decide/backoff.ts";

const options = { minMs: 1_000, maxMs: 60_000 };
const unit = fc.double({ min: 0, max: 0.999_999, noNaN: true });

test("without jitter the wait doubles with each attempt, up to the longest", () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7].map((attempt) => backoffMs(attempt, 0, 0, options));
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test("the jitter is full: a thousand tills spread over the whole wait", () => {
  const waits = [0, 0.25, 0.5, 0.75, 0.9].map((u) => backoffMs(4, 0, u, options));
  expect(waits).toEqual([16_000, 12_000, 8_000, 4_000, 1_600]);
});

test("no wait is so short that it would be none", async () => {
  await fc.assert(
    fc.property(fc.nat(100), unit, (attempt, u) => {
      expect(backoffMs(attempt, 0, u, options)).toBeGreaterThanOrEqual(250);
    }),
  );
});

test("no wait is longer than the longest, after however many attempts", async () => {
  await fc.assert(
    fc.property(fc.nat(1_000_000), unit, (attempt, u) => {
      expect(backoffMs(attempt, 0, u, options)).toBeLessThanOrEqual(60_000);
    }),
  );
});

test("what the server asks for is the earliest, and the jitter comes on top", async () => {
  await fc.assert(
    fc.property(fc.nat(20), fc.integer({ min: 0, max: 3_600_000 }), unit, (attempt, floorMs, u) => {
      expect(backoffMs(attempt, floorMs, u, options)).toBe(floorMs + backoffMs(attempt, 0, u, options));
    }),
  );
});

test("a server that asks for more than an hour is believed for an hour", () => {
  expect(backoffMs(0, 24 * 3_600_000, 0, options)).toBe(3_600_000 + 1_000);
});
