import { describe, test } from "vitest";
import { memory } from "../../src/storage/memory/memory.ts";
import { storageContract } from "../../src/testing/storage-contract.ts";

describe("the storage contract", () => {
  for (const { name, run } of storageContract()) test(name, () => run(() => memory()));
});
