/** `tillsync/server/testing`: for those who write their own server store. */
export type { ContractCase, MakeStore, StoreUnderTest } from "./contract-case.ts";
export { type ServerStoreContractOptions, serverStoreContract } from "./server-store-contract.ts";
