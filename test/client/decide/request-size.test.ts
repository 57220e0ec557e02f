/** How much goes into a request, depending on what became of the last one [C9] (L6). */
import { describe, expect, test } from "vitest";
import {
  afterAnswer,
  afterRefusal,
  afterServerError,
  afterTooSlow,
  fullSize,
  isTooSlow,
} from "../../../src/client/decide/request-size.ts";

const MAX = { count: 200, bytes: 512_000 };
const full = fullSize(MAX);

test("it begins with all that is allowed", () => {
  expect(full).toEqual({ count: 200, bytes: 512_000, failures: 0 });
});

describe("a batch that is refused", () => {
  test("is halved", () => {
    expect(afterRefusal(full, 80, 80)).toEqual({ size: { ...full, count: 40 }, single: false });
  });

  test("is halved by what was in it, not by what might have been", () => {
    expect(afterRefusal(full, 7, 7).size.count).toBe(3);
  });

  test("never comes to nothing", () => {
    expect(afterRefusal(full, 1, 1)).toEqual({ size: { ...full, count: 1 }, single: true });
  });

  test("is the trouble itself once it is one transaction, whatever its size", () => {
    expect(afterRefusal(full, 30, 1).single).toBe(true);
  });

  test("gets down to one in a few steps", () => {
    let count = 500;
    let steps = 0;
    for (; !afterRefusal(full, count, count).single; steps += 1) count = afterRefusal(full, count, count).size.count;
    expect(steps).toBe(8);
  });
});

describe("a batch that the server fails on", () => {
  test("is sent whole twice more: a server that fails on one may fail on everything", () => {
    const first = afterServerError(full, 100, 100);
    const second = afterServerError(first.size, 100, 100);
    expect([first, second]).toEqual([
      { size: { ...full, failures: 1 }, single: false },
      { size: { ...full, failures: 2 }, single: false },
    ]);
  });

  test("is halved when that has repeated", () => {
    expect(afterServerError({ ...full, failures: 2 }, 100, 100)).toEqual({
      size: { ...full, count: 50 },
      single: false,
    });
  });

  test("is the trouble itself once it is one transaction, and that has repeated", () => {
    expect(afterServerError({ ...full, count: 1 }, 1, 1).single).toBe(false);
    expect(afterServerError({ ...full, count: 1, failures: 2 }, 1, 1).single).toBe(true);
  });
});

describe("a request for which the line was too slow", () => {
  test("is followed by a quarter of what it carried, and its time is remembered", () => {
    const size = afterTooSlow(full, { count: 60, bytes: 400_000 }, 30_000);
    expect(size).toEqual({ count: 15, bytes: 100_000, failures: 0, patienceMs: 30_000 });
  });

  test("never comes to nothing", () => {
    expect(afterTooSlow(full, { count: 1, bytes: 2 }, 30_000)).toMatchObject({ count: 1, bytes: 1 });
  });

  test.each([
    ["its deadline", { kind: "unreachable", reason: "timeout" }, 1_000, true],
    ["a connection that broke after a while", { kind: "unreachable", reason: "network" }, 5_000, true],
    ["a proxy that did not wait", { kind: "server_error", status: 504 }, 5_000, true],
    ["no network", { kind: "unreachable", reason: "network" }, 4_999, false],
    ["a server that is busy", { kind: "server_error", status: 503 }, 100, false],
    ["a server that failed on it", { kind: "server_error", status: 500 }, 20_000, false],
    ["the till's own failure", { kind: "server_error", status: 0 }, 20_000, false],
    ["a caller that gave up", { kind: "aborted" }, 20_000, false],
  ] as const)("is told by %s", (_name, failure, tookMs, expected) => {
    expect(isTooSlow(failure, tookMs)).toBe(expected);
  });
});

describe("a request that is answered", () => {
  test("lets the next one be twice as large", () => {
    const size = afterAnswer({ ...full, count: 25, failures: 2 }, MAX, { count: 25, bytes: 100 }, 10);
    expect(size).toEqual({ ...full, count: 50 });
  });

  test("lets it be twice as large as a transaction that was more than the size", () => {
    const size = afterAnswer({ ...full, count: 10, bytes: 1_000 }, MAX, { count: 30, bytes: 9_000 }, 10);
    expect(size).toMatchObject({ count: 60, bytes: 18_000 });
  });

  test("never lets it be larger than allowed", () => {
    expect(afterAnswer({ ...full, count: 150 }, MAX, { count: 150, bytes: 100 }, 10).count).toBe(200);
  });

  const slow = { count: 4, bytes: 10_000, failures: 0, patienceMs: 30_000 };

  test("lets it grow no further than to half of the time that was too long", () => {
    expect(afterAnswer(slow, MAX, { count: 4, bytes: 10_000 }, 10_000)).toMatchObject({ count: 6, bytes: 15_000 });
    expect(afterAnswer(slow, MAX, { count: 4, bytes: 10_000 }, 20_000)).toEqual(slow);
  });

  test("proves nothing about more than it carried", () => {
    expect(afterAnswer(slow, MAX, { count: 0, bytes: 0 }, 10)).toEqual(slow);
    expect(afterAnswer(slow, MAX, { count: 1, bytes: 90 }, 10_000)).toEqual(slow);
  });
});
