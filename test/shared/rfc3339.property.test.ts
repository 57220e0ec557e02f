/** Moments as text: one text for a moment, one moment for a text, and both in the same order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRfc3339, rfc3339 } from "../../src/shared/rfc3339.ts";
import { times } from "../support/property.ts";

const FIRST = Date.parse("0000-01-01T00:00:00.000Z");
const LAST = Date.parse("9999-12-31T23:59:59.999Z");
const moment = fc.oneof(
  fc.integer({ min: FIRST, max: LAST }),
  fc.integer({ min: 0, max: 4_102_444_800_000 }),
  fc.constantFrom(FIRST, LAST, 0, -1, Date.UTC(2024, 1, 29), Date.UTC(2000, 1, 29, 23, 59, 59, 999)),
);

test("every millisecond that has a text is read back from it", () => {
  fc.assert(
    fc.property(moment, (ms) => {
      expect(parseRfc3339(rfc3339(ms))).toBe(ms);
    }),
    times(1_000),
  );
});

test("any clock, however wrong, gives a moment of the one form, and its text sorts as the clocks do", () => {
  const clock = fc.oneof(moment, fc.double({ noNaN: true }), fc.maxSafeInteger());
  fc.assert(
    fc.property(clock, clock, (one, other) => {
      const [earlier, later] = one <= other ? [one, other] : [other, one];
      expect(rfc3339(earlier) <= rfc3339(later)).toBe(true);
      if (Math.trunc(earlier) < Math.trunc(later) && earlier >= FIRST && later <= LAST)
        expect(rfc3339(earlier) < rfc3339(later)).toBe(true);
      expect(parseRfc3339(rfc3339(one))).toBeDefined();
    }),
    times(500),
  );
});

test("text of the form is a moment exactly if its day and its hour exist, and then that moment", () => {
  const part = (max: number) => fc.oneof({ weight: 4, arbitrary: fc.nat(max) }, { weight: 1, arbitrary: fc.nat(99) });
  const parts = fc.tuple(fc.nat(9_999), part(12), part(31), part(23), part(59), part(59), fc.nat(999));
  const digits = (n: number, length: number) => String(n).padStart(length, "0");
  fc.assert(
    fc.property(parts, ([year, month, day, hour, minute, second, ms]) => {
      const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
      const time = `${digits(hour, 2)}:${digits(minute, 2)}:${digits(second, 2)}.${digits(ms, 3)}`;
      // By the calendar's own reckoning, which carries over what does not exist: a day that is carried is no day.
      const reckoned = new Date(0);
      reckoned.setUTCFullYear(year, month - 1, day);
      reckoned.setUTCHours(hour, minute, second, ms);
      const said = [reckoned.getUTCMonth() + 1, reckoned.getUTCDate(), reckoned.getUTCHours()];
      const small = [reckoned.getUTCMinutes(), reckoned.getUTCSeconds(), reckoned.getUTCMilliseconds()];
      const exists = [month, day, hour, minute, second, ms].join() === [...said, ...small].join();
      expect(parseRfc3339(`${date}T${time}Z`)).toBe(exists ? reckoned.getTime() : undefined);
    }),
    times(1_000),
  );
});

test("a text with any one character changed, added or lost is another moment or none", () => {
  const edit = fc.record({
    at: fc.nat(24),
    cut: fc.nat(1),
    put: fc.constantFrom("", "0", "7", "-", "+", "Z", " ", "T", ".", "\n"),
  });
  fc.assert(
    fc.property(moment, edit, (ms, { at, cut, put }) => {
      const text = rfc3339(ms);
      const edited = text.slice(0, at) + put + text.slice(at + cut);
      if (edited !== text) expect(parseRfc3339(edited)).not.toBe(ms);
    }),
    times(500),
  );
});
