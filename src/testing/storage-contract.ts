/** The laws of the StorageAdapter port, as cases that run with any test framework. */
import type { MakeStorage, StorageContractCase } from "./storage-contract/kit.ts";
import { lifecycle } from "./storage-contract/lifecycle.ts";
import { ranges } from "./storage-contract/ranges.ts";
import { reading } from "./storage-contract/reading.ts";
import { speculativeReads } from "./storage-contract/speculative-reads.ts";
import { transactions } from "./storage-contract/transactions.ts";
import { values } from "./storage-contract/values.ts";
import type { ContractRunner } from "./transport-contract.ts";

export type { MadeStorage, MakeStorage, StorageContractCase } from "./storage-contract/kit.ts";

/**
 * The cases of the storage contract, for a runner of one's own. Each needs an adapter of its own, with empty stores.
 */
export function storageContract(): readonly StorageContractCase[] {
  return [...reading, ...ranges, ...transactions, ...speculativeReads, ...values, ...lifecycle];
}

/**
 * Registers the storage contract with a test runner: one suite, with a test for each law.
 *
 * @param name what the adapter is called in the report
 * @param make called once for each test; makes an adapter with empty stores
 * @example
 * ```ts
 * import { memory } from "tillsync/storage/memory";
 * import { describeStorageContract } from "tillsync/testing";
 * import { describe, it } from "vitest";
 *
 * describeStorageContract({ describe, it }, "memory", () => memory());
 * ```
 */
export function describeStorageContract(runner: ContractRunner, name: string, make: MakeStorage): void {
  runner.describe(`${name} keeps the laws of a storage adapter`, () => {
    for (const { name: law, run } of storageContract()) runner.it(law, () => run(make));
  });
}
