/**
 * `tillsync/server/sqlite`: the server store for one machine, in one SQLite file.
 *
 * @module tillsync/server/sqlite
 */
export type { OpenSqlite, SqliteStatement, SqliteValue, SyncSqliteDriver } from "./driver.ts";
export { type SqliteStoreOptions, sqliteStore } from "./sqlite-store.ts";
