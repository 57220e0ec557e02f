import { describe, test } from "vitest";
import { indexedDB } from "../../src/storage/indexeddb/indexeddb.ts";
import { storageContract } from "../../src/testing/storage-contract.ts";

async function deleteAll() {
  for (const { name } of await globalThis.indexedDB.databases()) if (name) globalThis.indexedDB.deleteDatabase(name);
}
describe("the storage contract", () => {
  for (const { name, run } of storageContract()) {
    test(name, () => run(() => ({ adapter: indexedDB(), cleanup: deleteAll })));
  }
});
