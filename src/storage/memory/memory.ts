/** The storage adapter that keeps everything in memory: for tests, simulations and demonstrations. */
import type { StorageAdapter } from "../../client/ports/storage.ts";
import { MemoryConnection } from "./connection.ts";
import type { MemoryFaults } from "./faults.ts";
import { type MemorySnapshot, Store } from "./store.ts";

export interface MemoryOptions {
  /** Lets a test fail, hold up or crash any step. */
  readonly faults?: MemoryFaults | undefined;
  /**
   * Tells this adapter's stores from those of all others, also in other tabs.
   * @default a random one
   */
  readonly id?: string | undefined;
}

/** A storage adapter whose stores can be copied and put back. */
export interface MemoryAdapter extends StorageAdapter {
  readonly kind: "memory";
  /** What is committed in the store of this name, as plain data. */
  snapshot(name: string): MemorySnapshot;
  /**
   * Puts content back, as if the disk had been exchanged: a crash, a rollback, or a clone if it comes from another store.
   * Open connections go on with it. A transaction that is under way goes on too, and commits on top.
   */
  restore(name: string, snapshot: MemorySnapshot): void;
}

/**
 * Keeps its stores in the adapter that it returns: two clients that are given the same one, and the same name, share a
 * store as two tabs do. Everything is forgotten with it.
 */
export function memory(options: MemoryOptions = {}): MemoryAdapter {
  const { faults = {}, id = Math.random().toString(36).slice(2) } = options;
  const stores = new Map<string, Store>();
  const storeOf = (name: string): Store => {
    let store = stores.get(name);
    if (store === undefined) {
      store = new Store();
      stores.set(name, store);
    }
    return store;
  };
  return {
    kind: "memory",
    "~port": "storage",
    scope: (name) => `memory:${id}:${name}`,
    open(name, layout, hooks) {
      const store = storeOf(name);
      return store.turn(async () => {
        await faults.before?.({ kind: "open", store: name });
        store.adopt(layout);
        return new MemoryConnection({ name, store, layout, hooks, faults });
      });
    },
    snapshot: (name) => storeOf(name).snapshot(),
    restore: (name, snapshot) => storeOf(name).restore(snapshot),
  };
}
