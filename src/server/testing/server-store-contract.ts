/** The contract of the ServerStore port, for any test runner. */
import { changeCases } from "./cases/changes.ts";
import { deskCases } from "./cases/desks.ts";
import { fidelityCases } from "./cases/fidelity.ts";
import { keyCases } from "./cases/keys.ts";
import { persistenceCases } from "./cases/persistence.ts";
import { readCases } from "./cases/reads.ts";
import { transactionCases } from "./cases/transactions.ts";
import type { ContractCase } from "./contract-case.ts";

/** What `serverStoreContract` takes. */
export interface ServerStoreContractOptions {
  /** Whether data outlives the store and several stores can share it. `false` leaves those cases out. @default true */
  readonly persistent?: boolean | undefined;
}

/**
 * Every law of the ServerStore port as a case. The cases are independent and run in any order; each makes a new store
 * without data.
 *
 * @example
 * ```ts
 * const make = async () => {
 *   const path = newPath();
 *   const store = myStore(path);
 *   return { store, open: async () => myStore(path), cleanup: () => store.close() };
 * };
 * for (const { name, run } of serverStoreContract()) test(name, () => run(make));
 * ```
 */
export function serverStoreContract({ persistent = true }: ServerStoreContractOptions = {}): readonly ContractCase[] {
  return [
    ...transactionCases,
    ...readCases,
    ...keyCases,
    ...changeCases,
    ...deskCases,
    ...fidelityCases,
    ...(persistent ? persistenceCases : []),
  ];
}
