/** `tillsync/server/sqlite`: the server store for one shop's box. */
export type { OpenSqlite, SqliteStatement, SqliteValue, SyncSqliteDriver } from "./driver.ts";
export { type SqliteStoreOptions, sqliteStore } from "./sqlite-store.ts";
