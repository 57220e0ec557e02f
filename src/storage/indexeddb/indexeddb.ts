/** The storage adapter for browsers. */
import type { StorageAdapter } from "../../client/ports/storage.ts";
import { expectOption } from "../../shared/errors.ts";
import { compactLog } from "./compact-log.ts";
import { connect } from "./connection.ts";
import { createFactories } from "./factories.ts";
import { KIND, typedError, unavailable } from "./failures.ts";
import { marker } from "./marker.ts";
import { openDatabase, type StoreConfig } from "./open.ts";
import { askToPersist } from "./space.ts";

/** The options of `indexedDB`. */
export interface IndexedDBOptions {
  /**
   * Ask the browser, after opening, not to evict this site's data when the disk is full.
   * @default true
   */
  readonly persist?: boolean | undefined;
  /**
   * `"strict"`: what a person was promised is flushed to disk before it is reported as saved. `"relaxed"`: nothing is
   * flushed; a power cut may then lose the last seconds.
   * @default "strict"
   */
  readonly durability?: "strict" | "relaxed" | undefined;
  /**
   * After how much silence of the database, in ms, a call fails with `storage_unavailable`. Above 0.
   * @default 10_000
   */
  readonly watchdogMs?: number | undefined;
  /**
   * Bytes that are taken now, so that sales can still be stored when the browser grants no more space. 0 for none.
   * @default 4_194_304 (4 MiB)
   * @minimum 0
   */
  readonly reserveBytes?: number | undefined;
  /**
   * Replaces the platform's IndexedDB, in tests.
   * @default globalThis.indexedDB
   */
  readonly factory?: IDBFactory | undefined;
}

const WATCHDOG_MS = 10_000;
/** More than a thousand sales in Chromium and WebKit, about 50 in Firefox (docs/decisions/reserve-database.md). */
const RESERVE_BYTES = 4 * 1024 * 1024;

/**
 * Creates a storage adapter that keeps a till's data in the browser's IndexedDB: one database for each name, shared by
 * all tabs of the site. It is the default of `createSyncClient`. There is no fallback to memory: if IndexedDB is not
 * available, opening the store fails with `storage_unavailable`.
 *
 * @throws TillSyncError `invalid_option`
 * @example
 * const storage = indexedDB({ reserveBytes: 16 * 1024 * 1024 });
 * const till = createSyncClient({ name: "nairobi-westlands", storage, transport, collections });
 */
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
      const factories = createFactories(options.factory ?? platformFactory(), options.factory === undefined);
      const config: StoreConfig = { factories, name, layout, hooks, watchdogMs, durability, reserveBytes };
      try {
        const database = (await openDatabase(config)) as IDBDatabase;
        if (!isPersistAsked) askToPersist();
        isPersistAsked = true;
        void compactLog(database);
        return connect(config, database);
      } catch (error) {
        throw await typedError(error);
      }
    },
  };
}

/** No fallback to memory: a till that forgets its sales must not look like one that keeps them. */
function platformFactory(): IDBFactory {
  let factory: IDBFactory | null | undefined;
  try {
    factory = (globalThis as { indexedDB?: IDBFactory | null }).indexedDB;
  } catch (error) {
    // If site data is blocked, some browsers throw as soon as the property is read.
    throw unavailable(
      `The browser denies this site access to its database (${String(error)}), so nothing could be stored. ` +
        "Allow site data (cookies) for this site, or use a normal window instead of a private one.",
      error,
    );
  }
  if (factory) return factory;
  throw unavailable(
    "There is no IndexedDB here, so nothing could be stored. Use a normal window instead of a private one, " +
      "over https; in Node, memory() from tillsync/storage/memory.",
  );
}
