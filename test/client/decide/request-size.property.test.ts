/**
 * On a line of any speed at which one unit passes within the deadline, every series of attempts makes progress, and no
 * request is repeated as it was (L6).
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Amount, afterAnswer, afterTooSlow, fullSize } from "../../../src/client/decide/request-size.ts";
import { times } from "../../support/property.ts";

const MAX = { count: 500, bytes: 2 * 1024 * 1024 };

interface Attempt {
  readonly from: number;
  readonly count: number;
  readonly arrived: boolean;
}

/** Sends units of these sizes, until all are sent or this many attempts were made. */
function sendAll(units: readonly number[], deadlineMs: number, tookMs: (bytes: number, attempt: number) => number) {
  const attempts: Attempt[] = [];
  let size = fullSize(MAX);
  for (let from = 0; from < units.length && attempts.length < 5_000; ) {
    const batch: number[] = [];
    const carried = (): Amount => ({ count: batch.length, bytes: batch.reduce((sum, bytes) => sum + bytes, 0) });
    for (const unit of units.slice(from)) {
      const { count, bytes } = carried();
      if (count > 0 && (count + 1 > size.count || bytes + unit > size.bytes)) break;
      batch.push(unit);
    }
    const took = tookMs(carried().bytes, attempts.length);
    const arrived = took <= deadlineMs;
    attempts.push({ from, count: batch.length, arrived });
    size = arrived
      ? afterAnswer(size, MAX, carried(), took)
      : afterTooSlow(size, carried(), Math.min(took, deadlineMs));
    if (arrived) from += batch.length;
  }
  return attempts;
}

const KB = 1_000;
const speed = fc.integer({ min: 2 * KB, max: 50 * KB }); // bytes a second
const line = fc
  .record({ deadlineMs: fc.integer({ min: 1_000, max: 60_000 }), latencyMs: fc.integer({ min: 0, max: 800 }), speed })
  .chain(({ deadlineMs, latencyMs, speed: slowest }) => {
    const largest = Math.max(200, Math.floor(((deadlineMs - latencyMs) / 1_000) * slowest));
    const unit = fc.oneof(
      fc.integer({ min: 100, max: Math.min(largest, 2_000) }),
      fc.integer({ min: 100, max: largest }),
    );
    return fc.record({
      deadlineMs: fc.constant(deadlineMs),
      latencyMs: fc.constant(latencyMs),
      slowest: fc.constant(slowest),
      units: fc.array(unit, { minLength: 1, maxLength: 400 }),
      /** How many times as fast the line is, request by request. */
      factors: fc.array(fc.constantFrom(1, 1, 2, 5, 25), { minLength: 1, maxLength: 20 }),
    });
  });

test("on a line of one speed it is too slow a few times, and never again", () => {
  const holds = fc.property(line, ({ deadlineMs, latencyMs, slowest, units }) => {
    const attempts = sendAll(units, deadlineMs, (bytes) => latencyMs + (bytes / slowest) * 1_000);
    const failed = attempts.filter(({ arrived }) => !arrived).length;
    expect(attempts.at(-1)?.arrived).toBe(true);
    // A quarter each time, from 2 MiB to a byte: then one unit is sent, and that passes.
    expect(failed).toBeLessThanOrEqual(11);
  });
  fc.assert(holds, times(300));
});

test("on a line whose speed changes from request to request, each series makes progress and shrinks until it does", () => {
  const holds = fc.property(line, ({ deadlineMs, latencyMs, slowest, units, factors }) => {
    const speedOf = (attempt: number) => slowest * (factors[attempt % factors.length] ?? 1);
    const attempts = sendAll(units, deadlineMs, (bytes, attempt) => latencyMs + (bytes / speedOf(attempt)) * 1_000);
    expect(attempts.at(-1)?.arrived).toBe(true);
    for (const [index, next] of attempts.entries()) {
      const before = attempts[index - 1];
      if (before && !before.arrived) expect(next.count).toBeLessThan(before.count);
    }
  });
  fc.assert(holds, times(300));
});

test("on a line that is fast again it grows back to all that is allowed within a dozen requests", () => {
  const units = Array.from({ length: 20_000 }, () => 1_000);
  let slow = true;
  const attempts = sendAll(units, 30_000, (bytes, attempt) => {
    if (attempt > 20) slow = false;
    return slow ? bytes / 2 : 50 + bytes / 1_000;
  });
  const growing = attempts.slice(21).map(({ count }) => count);
  expect(growing.slice(0, 12)).toContain(MAX.count);
});
