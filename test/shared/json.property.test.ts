/** The laws of JSON as a value: what passes comes back as it went, what differs has another text, and a fault is where it is said to be. */
import { indexedDB } from "fake-indexeddb";
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, deepEqual, type Json, jsonFault } from "../../src/shared/json.ts";
import { anyNumber, anyText, json, name, place, reordered } from "../support/json-values.ts";
import { times } from "../support/property.ts";

const viaUtf8 = (words: string) =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(words));

test("text passes, as a value and as a name, exactly where UTF-8 gives it back and a database takes it", () => {
  fc.assert(
    fc.property(anyText, (words) => {
      const comesBack = viaUtf8(words) === words && !words.includes("\0");
      expect(jsonFault(words) === undefined).toBe(comesBack);
      expect(jsonFault({ a: [words] }) === undefined).toBe(comesBack);
      const isReserved = ["__proto__", "constructor", "prototype"].includes(words);
      expect(jsonFault(Object.fromEntries([[words, 1]])) === undefined).toBe(comesBack && !isReserved);
    }),
    times(500),
  );
});

test("a number passes exactly where it is finite and, if whole, can be told from the next one", () => {
  fc.assert(
    fc.property(anyNumber, (n) => {
      const isTold = Number.isFinite(n) && (n % 1 !== 0 || Math.abs(n) + 1 - Math.abs(n) === 1);
      expect(jsonFault(n) === undefined).toBe(isTold);
    }),
    times(500),
  );
});

test("a number that passes is read back from its text as it was, and one that does not has no text", () => {
  fc.assert(
    fc.property(anyNumber, place, (n, { holding }) => {
      if (jsonFault(n) !== undefined) return void expect(() => canonicalJson(holding(n) as Json)).toThrow("defect");
      expect(Object.is(JSON.parse(canonicalJson(n)), n + 0)).toBe(true);
      expect(JSON.parse(canonicalJson(holding(n) as Json))).toEqual(JSON.parse(JSON.stringify(holding(n))));
    }),
    times(300),
  );
});

test("text that would not come back has no canonical text, however deep it lies", () => {
  fc.assert(
    fc.property(anyText, place, (words, { holding }) => {
      const write = () => canonicalJson(holding(words) as Json);
      if (jsonFault(words) === undefined) expect(write).not.toThrow();
      else expect(write).toThrow("defect");
    }),
    times(300),
  );
});

test("a fault is told at the place where it lies, whatever lies beside it", () => {
  const fault = fc.constantFrom<unknown>(
    undefined,
    1n,
    Number.NaN,
    "\ud800",
    new Date(0),
    () => 1,
    Symbol("s"),
    2 ** 53,
  );
  fc.assert(
    fc.property(place, fault, ({ segments, holding }, thing) => {
      expect(jsonFault(holding("fine"))).toBeUndefined();
      expect(jsonFault(holding(thing))?.segments).toEqual(segments);
    }),
    times(300),
  );
});

test("names stand in the text in the order that IndexedDB gives them, in whatever order they were set", () => {
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 2, maxLength: 2 }), ([one = "", other = ""]) => {
      const [first, second] = indexedDB.cmp(one, other) < 0 ? [one, other] : [other, one];
      const expected = `{${JSON.stringify(first)}:0,${JSON.stringify(second)}:0}`;
      expect(canonicalJson({ [one]: 0, [other]: 0 })).toBe(expected);
      expect(canonicalJson({ [other]: 0, [one]: 0 })).toBe(expected);
    }),
    times(500),
  );
});

test("the text of what was read from a canonical text is that text", () => {
  fc.assert(
    fc.property(json, (value) => {
      const written = canonicalJson(value);
      expect(canonicalJson(JSON.parse(written))).toBe(written);
    }),
    times(300),
  );
});

test("a change of one thing, however deep, changes the text, and the order of all members never does", () => {
  fc.assert(
    fc.property(place, json, json, ({ holding }, before, after) => {
      const [one, other] = [holding(before) as Json, holding(after) as Json];
      expect(canonicalJson(reordered(one))).toBe(canonicalJson(one));
      // Two values are equal exactly if their parts at the one place are: what lies around is the same.
      const isSame = canonicalJson(before) === canonicalJson(after);
      expect(canonicalJson(one) === canonicalJson(other)).toBe(isSame);
      expect(deepEqual(one, reordered(other))).toBe(isSame);
    }),
    times(400),
  );
});
