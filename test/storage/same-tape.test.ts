/** The same tape of writes and reads, played to every adapter: they must not differ in anything. */
import type { Key, ScanOptions, StorageLayout, StorageWrite } from "../../src/client/ports/storage.ts";
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import fc from "fast-check";
import { expect, test } from "vitest";
import { indexedDB } from "../../src/storage/indexeddb/indexeddb.ts";
import { memory } from "../../src/storage/memory/memory.ts";
import { hookLog } from "./fixtures.ts";

interface Row {
  readonly keys: readonly Key[];
}

const layout: StorageLayout = {
  format: 1,
  tables: [{ name: "rows", indexes: [{ name: "keys", signature: "1", keys: (value) => (value as Row).keys }] }],
};

const primary = fc.constantFrom("a", "b", "B", "ä", "a\u0000", "10", "9", "\u{1f600}", "\uffff", "zz");
const { key } = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<Key>(0, -0, 1, 1.5, -1, "", "a", "B", "\uffff", "\u{1f600}"),
    fc.array(tie("key"), { maxLength: 2 }),
  ),
}));

const write: fc.Arbitrary<StorageWrite> = fc.oneof(
  fc.record({
    kind: fc.constant("put" as const),
    table: fc.constant("rows"),
    key: primary,
    value: fc.record({ keys: fc.array(key, { maxLength: 4 }) }),
  }),
  fc.record({ kind: fc.constant("delete" as const), table: fc.constant("rows"), key: primary }),
);

const bounds = (of: fc.Arbitrary<Key>) =>
  fc.record({ lower: of, lowerOpen: fc.boolean(), upper: of, upperOpen: fc.boolean() }, { requiredKeys: [] });

const common = { limit: fc.nat(6), direction: fc.constantFrom("next" as const, "prev" as const) };
const scan: fc.Arbitrary<ScanOptions> = fc.oneof(
  fc.record(
    { index: fc.constant("keys"), range: bounds(key), after: fc.record({ key, primary }), ...common },
    { requiredKeys: ["index"] },
  ),
  fc.record(
    { range: bounds(primary), after: primary.map((at) => ({ key: at, primary: at })), ...common },
    { requiredKeys: [] },
  ),
);

test("memory and IndexedDB return the same for every scan and count", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(write, { maxLength: 6 }), { maxLength: 6 }),
      fc.array(scan, { maxLength: 12 }),
      async (tape, scans) => {
        const adapters = [memory(), indexedDB({ factory: new IDBFactory() })];
        const stores = await Promise.all(adapters.map((adapter) => adapter.open("tape", layout, hookLog())));
        for (const writes of tape) {
          for (const store of stores) {
            // biome-ignore lint/correctness/useYield: it reads nothing
            await store.transact({ tables: ["rows"], durability: "relaxed" }, function* () {
              return { value: undefined, writes };
            });
          }
        }
        for (const options of scans) {
          const [one, other] = await Promise.all(stores.map((store) => store.scan("rows", options)));
          // It is not specified which of two equal keys, 0 and -0, an index keeps.
          expect(plain(one)).toEqual(plain(other));
          const [few, many] = await Promise.all(stores.map((store) => store.count("rows", { ...options })));
          expect(few).toBe(many);
        }
        await Promise.all(stores.map((store) => store.close()));
      },
    ),
    { numRuns: 300 },
  );
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
