/**
 * The storage adapter that keeps everything in memory: for tests, simulations and demonstrations.
 *
 * @module tillsync/storage/memory
 */
export type { MemoryFaults, MemoryStep } from "./faults.ts";
export type { MemoryAdapter, MemoryOptions } from "./memory.ts";
export { memory } from "./memory.ts";
export type { MemorySnapshot } from "./store.ts";
