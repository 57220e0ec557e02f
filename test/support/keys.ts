/** Index keys and ranges of them, for property tests: few enough to be equal often. */
import fc from "fast-check";
import type { Key, KeyRange } from "../../src/shared/keys.ts";

export const { key } = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<Key>(0, -0, 1, -1, 1.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    fc.constantFrom<Key>("", "a", "ab", "b", "\uffff", "\ud800", "\u{1f600}", "é"),
    fc.string({ unit: "binary", maxLength: 3 }),
    fc.double({ noNaN: true }),
    fc.array(tie("key"), { maxLength: 3 }),
  ),
}));

export const keyRange: fc.Arbitrary<KeyRange> = fc.record(
  { lower: key, lowerOpen: fc.boolean(), upper: key, upperOpen: fc.boolean() },
  { requiredKeys: [] },
);
