/** Keys and stretches of them are to tillsync what they are to IndexedDB. */
import { IDBKeyRange, indexedDB } from "fake-indexeddb";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareKeys, inRange, isKey, type Key, type KeyRange } from "../../src/shared/keys.ts";
import { key, keyRange } from "../support/keys.ts";
import { times } from "../support/property.ts";

test("a value is a key exactly if IndexedDB takes it for one", () => {
  const isTaken = (value: unknown) => {
    try {
      indexedDB.cmp(value, 0);
      return true;
    } catch {
      return false;
    }
  };
  const anything = fc.anything({ withNullPrototype: true, withSparseArray: true, withBigInt: true, maxDepth: 3 });
  fc.assert(
    fc.property(fc.oneof(key, anything, fc.array(fc.oneof(key, anything), { maxLength: 3 })), (value) => {
      expect(isKey(value)).toBe(isTaken(value));
    }),
    times(500),
  );
});

test("a stretch holds exactly what IndexedDB's own holds", () => {
  const native = ({ lower, lowerOpen = false, upper, upperOpen = false }: KeyRange) => {
    if (lower === undefined) return IDBKeyRange.upperBound(upper, upperOpen);
    return upper === undefined
      ? IDBKeyRange.lowerBound(lower, lowerOpen)
      : IDBKeyRange.bound(lower, upper, lowerOpen, upperOpen);
  };
  fc.assert(
    fc.property(keyRange, key, (range, at) => {
      const { lower, upper } = range;
      if (lower === undefined && upper === undefined) return void expect(inRange(at, range)).toBe(true);
      // IndexedDB throws where the ends are crossed: nothing can be in it.
      const isCrossed = lower !== undefined && upper !== undefined && indexedDB.cmp(lower, upper) > 0;
      const isPoint = lower !== undefined && upper !== undefined && indexedDB.cmp(lower, upper) === 0;
      const isEmpty = isCrossed || (isPoint && Boolean(range.lowerOpen || range.upperOpen));
      for (const each of [at, lower, upper].filter((one): one is Key => one !== undefined))
        expect(inRange(each, range)).toBe(!isEmpty && native(range).includes(each));
    }),
    times(1_000),
  );
});

test("a stretch has no gaps: what lies between two of its keys is in it", () => {
  fc.assert(
    fc.property(keyRange, key, key, key, (range, ...three) => {
      const [low, middle, high] = three.sort(compareKeys) as [Key, Key, Key];
      if (inRange(low, range) && inRange(high, range)) expect(inRange(middle, range)).toBe(true);
    }),
    times(1_000),
  );
});

test("any number of keys, in whatever order they come, sorts into the one order", () => {
  const some = fc.uniqueArray(key, { comparator: (a, b) => indexedDB.cmp(a, b) === 0, maxLength: 12 });
  fc.assert(
    fc.property(
      some.chain((keys) => fc.tuple(fc.constant(keys), fc.shuffledSubarray(keys, { minLength: keys.length }))),
      ([keys, shuffled]) => {
        expect([...shuffled].sort(compareKeys)).toEqual([...keys].sort((a, b) => indexedDB.cmp(a, b)));
      },
    ),
    times(300),
  );
});
