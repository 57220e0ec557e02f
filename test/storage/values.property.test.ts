/**
 * A value has the same text whichever store it has been in: a payload is hashed on the till after a night on its disk
 * (L3).
 */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { StorageAdapter, StorageLayout } from "../../src/client/ports/storage.ts";
import { frozenCopy as serversCopy } from "../../src/server/memory/frozen-copy.ts";
import { canonicalJson, type Json, jsonFault, toJson } from "../../src/shared/json.ts";
import { indexedDB } from "../../src/storage/indexeddb/indexeddb.ts";
import { memory } from "../../src/storage/memory/memory.ts";
import { json, name } from "../support/json-values.ts";
import { times } from "../support/property.ts";
import { hookLog } from "./fixtures.ts";

const layout: StorageLayout = { format: 1, tables: [{ name: "values", indexes: [] }] };
/** As an app may pass it: missing members may be present as `undefined`. */
const given = fc.dictionary(name, fc.oneof({ weight: 4, arbitrary: json }, fc.constant(undefined)), {
  maxKeys: 5,
  noNullPrototype: true,
}) as fc.Arbitrary<unknown> as fc.Arbitrary<Json>;

async function storedBy(adapter: StorageAdapter, values: readonly Json[]): Promise<readonly Json[]> {
  const connection = await adapter.open("values", layout, hookLog());
  const keys = values.map((_, index) => `v${index}`);
  const writes = values.map((value, index) => ({ kind: "put", table: "values", key: `v${index}`, value }) as const);
  // biome-ignore lint/correctness/useYield: it reads nothing
  await connection.transact({ tables: ["values"], durability: "relaxed" }, function* () {
    return { value: undefined, writes };
  });
  const found = await connection.get<Json>("values", keys);
  await connection.close();
  return found as readonly Json[];
}

test("memory, IndexedDB, a structured clone, JSON and the server's memory give back the same text", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(given, { minLength: 1, maxLength: 8 }), async (values) => {
      const texts = values.map((value) => canonicalJson(value));
      const copies: Record<string, readonly Json[]> = {
        memory: await storedBy(memory(), values),
        indexedDB: await storedBy(indexedDB({ factory: new IDBFactory() }), values),
        clone: values.map((value) => structuredClone(value)),
        json: values.map((value) => JSON.parse(JSON.stringify(value))),
        toJson: values.map((value) => toJson(value)),
        server: values.map((value) => serversCopy(value)),
      };
      for (const [way, copied] of Object.entries(copies)) {
        expect([way, copied.map((value) => canonicalJson(value))]).toEqual([way, texts]);
        expect([way, copied.map((value) => jsonFault(value, { allowUndefined: true }))]).toEqual([
          way,
          values.map(() => undefined),
        ]);
      }
    }),
    times(100),
  );
});

test("a store keeps a copy: writing to the value that was passed changes nothing in it", () => {
  const deeply = (value: unknown): unknown[] =>
    typeof value === "object" && value !== null ? [value, ...Object.values(value).flatMap(deeply)] : [];
  fc.assert(
    fc.property(given, (value) => {
      for (const copy of [serversCopy(value), toJson(value)]) {
        const own = new Set(deeply(value));
        expect(deeply(copy).filter((part) => own.has(part))).toEqual([]);
      }
    }),
    times(200),
  );
});
