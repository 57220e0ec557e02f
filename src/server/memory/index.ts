/**
 * `tillsync/server/memory`: the server store that is the model of all others, for tests.
 *
 * @module tillsync/server/memory
 */
export {
  type MemorySnapshot,
  type MemoryStore,
  type MemoryStoreFaults,
  type MemoryStoreOptions,
  type MemoryStoreStep,
  memoryStore,
} from "./memory-store.ts";
