/**
 * The reads that the IndexedDB adapter does not wait for. The storage contract tests that no wrong prediction is
 * committed.
 */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, test } from "vitest";
import { readAll, type StorageConnection, type StorageScript } from "../../src/client/ports/storage.ts";
import { indexedDB } from "../../src/storage/indexeddb/indexeddb.ts";
import { hookLog, increment, layout, strict } from "./fixtures.ts";

let factory: IDBFactory;

beforeEach(() => {
  factory = new IDBFactory();
});

const open = () => indexedDB({ factory }).open("till", layout, hookLog());

/** Increments the counter. Returns the value that each run of the script read. */
async function count(connection: StorageConnection): Promise<readonly number[]> {
  const runs: number[] = [];
  await connection.transact(strict, function* (): StorageScript<void> {
    const [[value = 0]] = (yield* readAll([
      { kind: "get", table: "counters", keys: ["n"], speculate: "unchanged" },
    ])) as [[number?]];
    runs.push(value);
    return { value: undefined, writes: [{ kind: "put", table: "counters", key: "n", value: value + 1 }] };
  });
  return runs;
}

test("a script continues with what its connection wrote last, and runs once", async () => {
  const connection = await open();
  expect(await count(connection)).toEqual([0]);
  expect(await count(connection)).toEqual([1]);
  expect(await count(connection)).toEqual([2]);
  expect(await connection.get("counters", ["n"])).toEqual([3]);
});

test("if another connection wrote in between, it runs again with the row that is there", async () => {
  const [here, there] = [await open(), await open()];
  await count(here);
  await increment(there, strict, 10);
  expect(await count(here)).toEqual([1, 11]);
  expect(await count(here)).toEqual([12]);
  expect(await here.get("counters", ["n"])).toEqual([13]);
});

test("the same value from another transaction is another row", async () => {
  const [here, there] = [await open(), await open()];
  await count(here);
  await increment(there, strict, 0);
  expect(await count(here)).toEqual([1, 1]);
});

test("after a transaction that failed, nothing is predicted", async () => {
  const connection = await open();
  await count(connection);
  const uncloneable = connection.transact(strict, function* () {
    yield [];
    return { value: 0, writes: [{ kind: "put", table: "counters", key: "n", value: () => {} }] };
  });
  await expect(uncloneable).rejects.toThrow();
  expect(await count(connection)).toEqual([1]);
  expect(await connection.get("counters", ["n"])).toEqual([2]);
});
