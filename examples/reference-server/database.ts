/**
 * One SQLite library for everything that opens the database. File locks belong to the process: two libraries in it would not see each
 * other's, and closing a file in one would drop the other's.
 */
import type { OpenSqlite, SyncSqliteDriver } from "tillsync/server/sqlite";

/** `node:sqlite` where there is one (Node 22.13), else `libsql`. */
export async function findSqlite(): Promise<OpenSqlite> {
  const builtin = process.getBuiltinModule?.("node:sqlite") as
    | { DatabaseSync: new (path: string) => SyncSqliteDriver }
    | undefined;
  if (builtin !== undefined) return (path) => new builtin.DatabaseSync(path);
  const { default: Libsql } = await import("libsql");
  return (path) => new Libsql(path);
}
