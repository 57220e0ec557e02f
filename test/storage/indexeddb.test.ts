import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { describe, test } from "vitest";
import { indexedDB } from "../../src/storage/indexeddb/indexeddb.ts";
import { storageContract } from "../../src/testing/storage-contract.ts";

describe("the storage contract", () => {
  for (const { name, run } of storageContract()) test(name, () => run(() => indexedDB({ factory: new IDBFactory() })));
});
