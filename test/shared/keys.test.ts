import { indexedDB } from "fake-indexeddb";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareKeys, inRange, isKey, type Key, prefixRange, stringPrefixRange } from "../../src/shared/keys.ts";

const { key } = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { depthSize: "small" },
    fc.double({ noNaN: true }),
    fc.integer({ min: -3, max: 3 }),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.constantFrom("", "a", "ab", "b", "\uffff", "\ud800", "é"),
    fc.array(tie("key"), { maxLength: 3 }),
  ),
}));
const sorted = (...keys: Key[]) => keys.sort(compareKeys);

describe("compareKeys", () => {
  it("puts numbers before strings before arrays", () => {
    expect(sorted([], "", 5, ["a"], -1, "a", Number.POSITIVE_INFINITY, [1])).toEqual([
      -1,
      5,
      Number.POSITIVE_INFINITY,
      "",
      "a",
      [],
      [1],
      ["a"],
    ]);
  });

  it("orders strings by UTF-16 code units, not by language", () => {
    expect(sorted("é", "z", "Z", "\u{1f600}", "\uff5e")).toEqual(["Z", "z", "é", "\u{1f600}", "\uff5e"]);
  });

  it("orders arrays by element, and a shorter one first", () => {
    expect(sorted(["b"], ["a", 2], ["a"], ["a", 1])).toEqual([["a"], ["a", 1], ["a", 2], ["b"]]);
  });

  it("takes -0 for 0", () => {
    expect(compareKeys(-0, 0)).toBe(0);
    expect(compareKeys([-0], [0])).toBe(0);
  });

  it("answers as indexedDB.cmp does", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(indexedDB.cmp(a, b)));
      }),
      { numRuns: 1_000 },
    );
  });

  it("is a total order", () => {
    fc.assert(
      fc.property(key, key, key, (a, b, c) => {
        expect(compareKeys(a, a)).toBe(0);
        expect(Math.sign(compareKeys(a, b)) + Math.sign(compareKeys(b, a))).toBe(0);
        const [low, middle, high] = sorted(a, b, c) as [Key, Key, Key];
        expect(compareKeys(low, middle)).toBeLessThanOrEqual(0);
        expect(compareKeys(middle, high)).toBeLessThanOrEqual(0);
        expect(compareKeys(low, high)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe("isKey", () => {
  it("takes numbers, strings and arrays of them, infinities too", () => {
    for (const value of [0, -0, Number.NEGATIVE_INFINITY, "", [], [1, ["a"]]]) expect(isKey(value)).toBe(true);
  });

  it("refuses whatever IndexedDB refuses, and what tillsync does not store", () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    const hole = new Array(1);
    for (const value of [Number.NaN, true, null, undefined, {}, [null], [Number.NaN], cyclic, hole, 1n, new Date(0)]) {
      expect(isKey(value)).toBe(false);
    }
  });
});

describe("inRange", () => {
  it("includes its bounds unless they are open", () => {
    expect(inRange(1, { lower: 1, upper: 1 })).toBe(true);
    expect(inRange(1, { lower: 1, lowerOpen: true })).toBe(false);
    expect(inRange(1, { upper: 1, upperOpen: true })).toBe(false);
    expect(inRange("a", { lower: 1, upper: "b", upperOpen: true })).toBe(true);
    expect(inRange(["a"], { upper: "b" })).toBe(false);
  });

  it("includes everything where there is no bound", () => {
    fc.assert(fc.property(key, (any) => inRange(any, {})));
  });
});

const part = fc.oneof(
  fc.integer(),
  fc.string({ unit: "binary", maxLength: 3 }),
  fc.constantFrom("\uffff", "\uffff\uffff"),
);

describe("prefixRange", () => {
  it("holds exactly the array keys that start with the prefix", () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 3 }), fc.array(part, { maxLength: 2 }), (candidate, prefix) => {
        const starts = prefix.every((element, i) => i < candidate.length && compareKeys(candidate[i]!, element) === 0);
        expect(inRange(candidate, prefixRange(prefix))).toBe(starts);
        expect(inRange([...prefix, ...candidate], prefixRange(prefix))).toBe(true);
      }),
    );
  });

  it("holds no bare key", () => {
    expect(inRange("a", prefixRange([]))).toBe(false);
    expect(inRange(1, prefixRange([]))).toBe(false);
  });
});

describe("stringPrefixRange", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.constantFrom("\uffff", "a\uffff", "a\uffffz", "b"),
  );

  it("holds exactly the strings that start with the prefix", () => {
    fc.assert(
      fc.property(text, text, (candidate, prefix) => {
        expect(inRange(candidate, stringPrefixRange(prefix))).toBe(candidate.startsWith(prefix));
        expect(inRange(prefix + candidate, stringPrefixRange(prefix))).toBe(true);
      }),
    );
  });

  it("holds exactly the array keys whose part after the first ones starts with the prefix", () => {
    fc.assert(
      fc.property(text, text, part, (candidate, prefix, rest) => {
        const range = stringPrefixRange(prefix, ["drinks"]);
        expect(inRange(["drinks", candidate, rest], range)).toBe(candidate.startsWith(prefix));
        expect(inRange(["drinks", candidate], range)).toBe(candidate.startsWith(prefix));
        expect(inRange(["food", candidate], range)).toBe(false);
        expect(inRange(["drinks", 5], range)).toBe(false);
      }),
    );
  });

  it("loses no string that has U+FFFF after the prefix", () => {
    expect(inRange("ab\uffffz", stringPrefixRange("ab"))).toBe(true);
  });
});
