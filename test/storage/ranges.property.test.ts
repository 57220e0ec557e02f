/** Where a scan of IndexedDB begins, continues and ends. */
import "fake-indexeddb/auto";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ScanOptions } from "../../src/client/ports/storage.ts";
import { inRange, type Key } from "../../src/shared/keys.ts";
import { nativeRange, remainingRange } from "../../src/storage/indexeddb/ranges.ts";
import { key, keyRange } from "../support/keys.ts";
import { times } from "../support/property.ts";

test("an IDBKeyRange is made without an exception, and holds the same keys", () => {
  fc.assert(
    fc.property(keyRange, key, (range, at) => {
      const native = nativeRange(range);
      for (const each of [at, range.lower, range.upper].filter((one): one is Key => one !== undefined))
        expect(native === undefined || (native !== "empty" && native.includes(each))).toBe(inRange(each, range));
    }),
    times(1_000),
  );
});

test("what remains after an entry is the part of the range after it; in an index, also the entry's own key", () => {
  const scan = fc.record({
    index: fc.constantFrom("keys", undefined),
    range: keyRange,
    direction: fc.constantFrom("next" as const, "prev" as const, undefined),
    after: fc.record({ key, primary: fc.constant("p") }),
  });
  fc.assert(
    fc.property(scan, key, (options, at) => {
      const { index, range, direction, after } = options;
      const remaining = remainingRange(options as ScanOptions);
      for (const each of [at, after.key, range.lower, range.upper].filter((one): one is Key => one !== undefined)) {
        const ahead = indexedDB.cmp(each, after.key) * (direction === "prev" ? -1 : 1);
        const isBehind = ahead > 0 || (ahead === 0 && index !== undefined);
        expect(inRange(each, remaining)).toBe(inRange(each, range) && isBehind);
      }
    }),
    times(1_000),
  );
});
