import { describe, expect, test } from "vitest";
import { parseRfc3339, rfc3339 } from "../../src/shared/rfc3339.ts";

describe("rfc3339", () => {
  test.each([
    [0, "1970-01-01T00:00:00.000Z"],
    [1_795_161_661_250, "2026-11-20T08:01:01.250Z"],
    [-1, "1969-12-31T23:59:59.999Z"],
    [1.9, "1970-01-01T00:00:00.001Z"],
  ])("%d is %s", (ms, text) => {
    expect(rfc3339(ms)).toBe(text);
    expect(parseRfc3339(text)).toBe(Math.trunc(ms));
  });

  test("a clock far off gives the nearest moment that has a text", () => {
    expect(rfc3339(1e17)).toBe("9999-12-31T23:59:59.999Z");
    expect(rfc3339(-1e17)).toBe("0000-01-01T00:00:00.000Z");
    expect(rfc3339(Number.POSITIVE_INFINITY)).toBe("9999-12-31T23:59:59.999Z");
  });
});

test.each([
  "",
  "2026-11-20",
  "2026-11-20T08:00:00Z",
  "2026-11-20T08:00:00.0Z",
  "2026-11-20T08:00:00.0000Z",
  "2026-11-20T08:00:00.000+00:00",
  "2026-11-20t08:00:00.000z",
  "2026-11-20 08:00:00.000Z",
  " 2026-11-20T08:00:00.000Z",
  "2026-11-20T08:00:00.000Z\n",
  "2026-13-01T08:00:00.000Z",
  "2026-02-30T08:00:00.000Z",
  "2025-02-29T08:00:00.000Z",
  "2026-11-20T24:00:00.000Z",
  "2026-11-20T08:60:00.000Z",
  "2026-06-30T23:59:60.000Z",
  "+002026-11-20T08:00:00.000Z",
  "２０26-11-20T08:00:00.000Z",
])("%j is no moment", (text) => {
  expect(parseRfc3339(text)).toBeUndefined();
});
