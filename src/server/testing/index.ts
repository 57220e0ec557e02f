/**
 * `tillsync/server/testing`: the contract of the ServerStore port, for authors of server stores.
 *
 * @module tillsync/server/testing
 */
export type { ContractCase, MakeStore, StoreUnderTest } from "./contract-case.ts";
export { type ServerStoreContractOptions, serverStoreContract } from "./server-store-contract.ts";
