/** One page of a desk: where it ends, and where the next one begins. */
import { describe, expect, test } from "vitest";
import { DeskPage, rangeOf } from "../../../src/server/service/desk-page.ts";

interface Row {
  readonly position: number;
  readonly text: string;
}
const MIB = 1024 * 1024;
const rows = (count: number, text = "") => Array.from({ length: count }, (_, n): Row => ({ position: n + 1, text }));

const everybody = (_: Row): boolean => true;
const none = (_: Row): boolean => false;

/** Reads a desk as the service does. Answers the page and how many rows were read for it. */
function paged(desk: readonly Row[], { limit = 100, after = "0", isShown = everybody } = {}) {
  const page = new DeskPage<Row>(rangeOf({ limit, after }));
  let read = 0;
  while (!page.isDone) {
    const request = page.nextRead;
    const batch = desk.filter(({ position }) => position > request.after).slice(0, request.limit);
    read += batch.length;
    page.add(batch, isShown);
  }
  return { shown: page.rows.map(({ position }) => position), ...page.next, read };
}
describe("a page of a desk", () => {
  test("ends with the desk", () => {
    expect(paged(rows(3))).toEqual({ shown: [1, 2, 3], read: 3 });
    expect(paged([])).toEqual({ shown: [], read: 0 });
  });

  test("ends at its limit, and the next one begins behind it", () => {
    const first = paged(rows(5), { limit: 2 });
    expect(first).toMatchObject({ shown: [1, 2], next: "2" });
    expect(paged(rows(5), { limit: 2, after: first.next })).toMatchObject({ shown: [3, 4], next: "4" });
  });

  test("ends at its bytes, but has one row, however large", () => {
    expect(paged(rows(9, "x".repeat(MIB)))).toMatchObject({ shown: [1], next: "1" });
    expect(paged(rows(9, "x".repeat(9 * MIB)))).toMatchObject({ shown: [1], next: "1" });
  });

  test("looks at 2,000 rows that the caller may not see, and no more", () => {
    expect(paged(rows(2_500), { isShown: none })).toEqual({ shown: [], next: "2000", read: 2_000 });
    expect(paged(rows(2_500), { isShown: ({ position }) => position === 2_100, after: "2000" })).toEqual({
      shown: [2_100],
      read: 500,
    });
  });

  test("looks at 16 MiB of them, and at most as much again as one read brings", () => {
    const { shown, next, read } = paged(rows(500, "x".repeat(MIB / 4)), { isShown: none });
    expect([shown, next, read]).toEqual([[], "80", 80]);
  });

  test("begins where the one before said, or is refused", () => {
    for (const after of ["-1", "1.5", "x", "1e99"])
      expect(() => rangeOf({ after })).toThrow(expect.objectContaining({ code: "malformed" }));
    expect(rangeOf({})).toEqual({ limit: 100, start: 0 });
  });
});
