/**
 * The storage adapter for browsers.
 *
 * @module tillsync/storage/indexeddb
 */
export type { IndexedDBOptions } from "./indexeddb.ts";
export { indexedDB } from "./indexeddb.ts";
