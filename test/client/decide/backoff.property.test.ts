/** How long a till waits, with whatever options an app may give. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "../../../src/client/decide/backoff.ts";
import { times } from "../../support/property.ts";

const HOUR = 3_600_000;
/** Options as `createSyncClient` accepts them. */
const options = fc
  .tuple(fc.integer({ min: 10, max: HOUR }), fc.integer({ min: 10, max: HOUR }))
  .map(([one, other]) => ({ minMs: Math.min(one, other), maxMs: Math.max(one, other) }));
const attempt = fc.oneof(fc.nat(40), fc.nat(Number.MAX_SAFE_INTEGER));
const floor = fc.oneof(fc.constant(0), fc.nat(2 * HOUR), fc.double({ min: 0, noNaN: true }));
const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("a wait is a whole number of ms, never none, and never longer than the longest and an hour", () => {
  fc.assert(
    fc.property(options, attempt, floor, unit, (given, n, floorMs, u) => {
      const wait = backoffMs(n, floorMs, u, given);
      expect(Number.isSafeInteger(wait)).toBe(true);
      expect(wait).toBeGreaterThanOrEqual(Math.max(1, Math.min(Math.floor(floorMs), HOUR)));
      expect(wait).toBeLessThanOrEqual(Math.min(floorMs, HOUR) + given.maxMs + 1);
    }),
    times(500),
  );
});

test("one more failure, or a server that asks for more, never makes the wait shorter", () => {
  fc.assert(
    fc.property(options, attempt, floor, floor, unit, (given, n, one, other, u) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)];
      expect(backoffMs(n + 1, less, u, given)).toBeGreaterThanOrEqual(backoffMs(n, less, u, given));
      expect(backoffMs(n, more, u, given)).toBeGreaterThanOrEqual(backoffMs(n, less, u, given));
    }),
    times(500),
  );
});

test("tills that failed together come back over nearly the whole wait, evenly, and the last at its end", () => {
  fc.assert(
    fc.property(options, fc.nat(40), (given, n) => {
      const waits = Array.from({ length: 1_000 }, (_, till) => backoffMs(n, 0, till / 1_000, given));
      const longest = Math.max(...waits);
      expect(longest).toBe(backoffMs(n, 0, 0, given));
      expect(longest).toBeGreaterThanOrEqual(given.minMs);
      const late = waits.filter((wait) => wait > longest / 2).length;
      expect(Math.abs(late - 500)).toBeLessThanOrEqual(100);
      expect(Math.min(...waits)).toBeLessThanOrEqual(Math.ceil(longest / 4));
    }),
    times(50),
  );
});
