/** How many operations go into a push, depending on how the server answered the last one [C9]. */
import { describe, expect, test } from "vitest";
import { afterRefusal, afterServerError, afterSuccess, fullBatch } from "../../../src/client/decide/batch-limit.ts";

test("it begins with all that is allowed", () => {
  expect(fullBatch(200)).toEqual({ operations: 200, failures: 0 });
});

describe("a batch that is refused", () => {
  test("is halved", () => {
    expect(afterRefusal(80, 80)).toEqual({ limit: { operations: 40, failures: 0 }, single: false });
  });

  test("is halved by what was in it, not by what might have been", () => {
    expect(afterRefusal(7, 7).limit.operations).toBe(3);
  });

  test("never comes to nothing", () => {
    expect(afterRefusal(1, 1)).toEqual({ limit: { operations: 1, failures: 0 }, single: true });
  });

  test("is the trouble itself once it is one transaction, whatever its size", () => {
    expect(afterRefusal(30, 1).single).toBe(true);
  });

  test("gets down to one in a few steps", () => {
    let size = 500;
    let steps = 0;
    for (; !afterRefusal(size, size).single; steps += 1) size = afterRefusal(size, size).limit.operations;
    expect(steps).toBe(8);
  });
});

describe("a batch that the server fails on", () => {
  test("is sent whole twice more: a server that fails on one may fail on everything", () => {
    const first = afterServerError(fullBatch(200), 100, 100);
    const second = afterServerError(first.limit, 100, 100);
    expect([first, second]).toEqual([
      { limit: { operations: 200, failures: 1 }, single: false },
      { limit: { operations: 200, failures: 2 }, single: false },
    ]);
  });

  test("is halved when that has repeated", () => {
    expect(afterServerError({ operations: 200, failures: 2 }, 100, 100)).toEqual({
      limit: { operations: 50, failures: 0 },
      single: false,
    });
  });

  test("is the trouble itself once it is one transaction, and that has repeated", () => {
    expect(afterServerError({ operations: 1, failures: 0 }, 1, 1).single).toBe(false);
    expect(afterServerError({ operations: 1, failures: 2 }, 1, 1).single).toBe(true);
  });
});

describe("a batch that is taken", () => {
  test("lets the next one be twice as large", () => {
    expect(afterSuccess({ operations: 25, failures: 2 }, 200)).toEqual({ operations: 50, failures: 0 });
  });

  test("never lets it be larger than allowed", () => {
    expect(afterSuccess({ operations: 150, failures: 0 }, 200).operations).toBe(200);
  });
});
