/** The storage adapter that keeps everything in memory: for tests, simulations and demonstrations. */
import type { StorageAdapter } from "../../client/ports/storage.ts";
import { MemoryConnection } from "./connection.ts";
import type { MemoryFaults } from "./faults.ts";
import { type MemorySnapshot, Store } from "./store.ts";

/** The options of `memory`. */
export interface MemoryOptions {
  /**
   * Lets a test fail, delay or crash any step.
   * @default none
   */
  readonly faults?: MemoryFaults | undefined;
  /**
   * Distinguishes this adapter's stores from those of all others, also in other tabs.
   * @default a random one
   */
  readonly id?: string | undefined;
}

/** A storage adapter whose stores can be copied and restored. */
export interface MemoryAdapter extends StorageAdapter {
  readonly kind: "memory";
  /** The committed content of the store of this name, as plain data. */
  snapshot(name: string): MemorySnapshot;
  /**
   * Restores content, as if the disk had been exchanged: a crash, a rollback, or a clone if it is another store's.
   * Open connections continue with it. A transaction that is under way continues too, and commits on top.
   */
  restore(name: string, snapshot: MemorySnapshot): void;
}

/**
 * Creates a storage adapter that holds its stores in memory. Two clients with the same adapter and the same name share
 * a store, as two tabs do. The content is lost with the adapter, so don't use it for a shop.
 *
 * @example
 * const storage = memory();
 * const till = createSyncClient({ name: "test", storage, transport, collections });
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
