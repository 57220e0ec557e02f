/**
 * For tests of an app: a shop in one process, with a fake clock and a fake network. For tests of a storage adapter or a
 * transport: the contract suites.
 *
 * @module tillsync/testing
 */
export type { FakeClock } from "./fake-clock.ts";
export { fakeClock } from "./fake-clock.ts";
export type { FakeNetwork, SeenRequest } from "./fake-network.ts";
export { seededRandom } from "./seeded-random.ts";
export type { MadeStorage, MakeStorage, StorageContractCase } from "./storage-contract.ts";
export { describeStorageContract, storageContract } from "./storage-contract.ts";
export type { TestServer, TestShop, TestShopOptions } from "./test-shop.ts";
export { createTestShop } from "./test-shop.ts";
export type {
  ContractRunner,
  OpenTransport,
  TransportCallName,
  TransportContractCase,
  TransportPeer,
  TransportUnderTest,
} from "./transport-contract.ts";
export { describeTransportContract, transportContract } from "./transport-contract.ts";
