/**
 * The laws of the StorageAdapter port as runnable cases.
 *
 *     describeStorageContract({ describe, it }, "memory", () => memory());
 *
 * Each case gets an adapter of its own, whose stores must be empty. It rejects where a law is broken, and knows nothing of the
 * test framework around it.
 */
import type { MakeStorage, StorageContractCase } from "./storage-contract/kit.ts";
import { lifecycle } from "./storage-contract/lifecycle.ts";
import { ranges } from "./storage-contract/ranges.ts";
import { reading } from "./storage-contract/reading.ts";
import { speculativeReads } from "./storage-contract/speculative-reads.ts";
import { transactions } from "./storage-contract/transactions.ts";
import { values } from "./storage-contract/values.ts";
import type { ContractRunner } from "./transport-contract.ts";

export type { MadeStorage, MakeStorage, StorageContractCase } from "./storage-contract/kit.ts";

export function storageContract(): readonly StorageContractCase[] {
  return [...reading, ...ranges, ...transactions, ...speculativeReads, ...values, ...lifecycle];
}

export function describeStorageContract(runner: ContractRunner, name: string, make: MakeStorage): void {
  runner.describe(`${name} keeps the laws of a storage adapter`, () => {
    for (const { name: law, run } of storageContract()) runner.it(law, () => run(make));
  });
}
