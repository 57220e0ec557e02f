/**
 * The contract of the ServerStore port, for any test runner.
 *
 * ```ts
 * for (const { name, run } of serverStoreContract()) test(name, () => run(makeMyStore));
 * ```
 */
import { changeCases } from "./cases/changes.ts";
import { deskCases } from "./cases/desks.ts";
import { fidelityCases } from "./cases/fidelity.ts";
import { keyCases } from "./cases/keys.ts";
import { persistenceCases } from "./cases/persistence.ts";
import { readCases } from "./cases/reads.ts";
import { transactionCases } from "./cases/transactions.ts";
import type { ContractCase } from "./contract-case.ts";

export interface ServerStoreContractOptions {
  /** Whether data outlives the store, and several stores share it. `false` leaves those cases out. @default true */
  readonly persistent?: boolean | undefined;
}

/** Every law of the port as a case, to be run alone and in any order. Each asks for a new store without data. */
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
