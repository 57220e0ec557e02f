/** The storage adapter for browsers. */
import type { StorageAdapter } from "../../client/ports/storage.ts";
import { expectOption } from "../../shared/errors.ts";
import { compactLog } from "./compact-log.ts";
import { connect } from "./connection.ts";
import { KIND, typedError, unavailable } from "./failures.ts";
import { marker } from "./marker.ts";
import { openDatabase, type Place } from "./open.ts";
import { askToPersist } from "./space.ts";

export interface IndexedDBOptions {
  /**
   * Ask the browser, after opening, not to evict this site's data when the disk runs full.
   * @default true
   */
  readonly persist?: boolean | undefined;
  /**
   * The most that is ever asked of the disk. `"strict"`: what a person was promised is flushed before it is reported as saved.
   * `"relaxed"`: nothing is; a power cut may then take the last seconds with it.
   * @default "strict"
   */
  readonly durability?: "strict" | "relaxed" | undefined;
  /**
   * After how much silence, in ms, a call is given up with `storage_unavailable`.
   * @default 10_000
   */
  readonly watchdogMs?: number | undefined;
  /**
   * Space that is taken now, so that sales can still be stored when the browser gives no more. 0 for none.
   * @default 4 MiB
   */
  readonly reserveBytes?: number | undefined;
  /**
   * Another IndexedDB than the platform's: for tests.
   * @default globalThis.indexedDB
   */
  readonly factory?: IDBFactory | undefined;
}

const WATCHDOG_MS = 10_000;
/** Some thousand sales. */
const RESERVE_BYTES = 4 * 1024 * 1024;

/** Keeps a till's data in the browser's IndexedDB: one database for each name, shared by all tabs of the site. */
export function indexedDB(options: IndexedDBOptions = {}): StorageAdapter {
  const { persist = true, durability = "strict", watchdogMs = WATCHDOG_MS, reserveBytes = RESERVE_BYTES } = options;
  const isDurability = durability === "strict" || durability === "relaxed";
  expectOption(isDurability, "durability", '"strict" or "relaxed"', durability, 'Leave it out for "strict".');
  expectOption(watchdogMs > 0, "watchdogMs", "a number of ms above 0", watchdogMs, "Leave it out for 10 s.");
  const isSize = Number.isSafeInteger(reserveBytes) && reserveBytes >= 0;
  expectOption(isSize, "reserveBytes", "a number of bytes, or 0", reserveBytes, "Leave it out for 4 MiB.");
  let isPersistAsked = !persist;
  return {
    kind: KIND,
    "~port": "storage",
    scope: (name) => `${KIND}:${name}`,
    marker,
    async open(name, layout, hooks) {
      const factory = options.factory ?? platformFactory();
      const place: Place = { factory, name, layout, hooks, watchdogMs, durability, reserveBytes };
      try {
        const database = (await openDatabase(place)) as IDBDatabase;
        if (!isPersistAsked) askToPersist();
        isPersistAsked = true;
        void compactLog(database);
        return connect(place, database);
      } catch (error) {
        throw await typedError(error);
      }
    },
  };
}

/** There is no falling back to memory: a till that forgets its sales must not look like one that keeps them. */
function platformFactory(): IDBFactory {
  const factory = (globalThis as { indexedDB?: IDBFactory | null }).indexedDB;
  if (factory) return factory;
  throw unavailable(
    "There is no IndexedDB here, so nothing could be kept. Use a normal window instead of a private one, over https; " +
      "in Node, memory() from tillsync/storage/memory.",
  );
}
