/**
 * The laws of the StorageAdapter port as runnable cases. (testing)
 *
 *     for (const { name, run } of storageContract()) {
 *       test(name, () => run(() => memory()));
 *     }
 *
 * Each case gets an adapter of its own, whose stores must be empty. It rejects where a law is broken, and knows nothing of the
 * test framework around it.
 */
import type { StorageContractCase } from "./storage-contract/kit.ts";
import { lifecycle } from "./storage-contract/lifecycle.ts";
import { reading } from "./storage-contract/reading.ts";
import { transactions } from "./storage-contract/transactions.ts";

export type { MadeStorage, MakeStorage, StorageContractCase } from "./storage-contract/kit.ts";

export function storageContract(): readonly StorageContractCase[] {
  return [...reading, ...transactions, ...lifecycle];
}
