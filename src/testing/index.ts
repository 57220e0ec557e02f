/** `tillsync/testing`: for the tests of apps, and of storage adapters and transports of their own. */
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
