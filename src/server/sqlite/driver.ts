/**
 * The SQLite library, described by what is used of it, and where one is looked for.
 *
 * Synchronous on purpose: a transaction then runs in one go, and nothing of this process can come between its statements.
 */
import { builtinModule } from "../../shared/builtin.ts";
import { TillSyncError } from "../../shared/errors.ts";

export type SqliteValue = string | number | null;

export interface SqliteStatement {
  run(...parameters: SqliteValue[]): unknown;
  all(...parameters: SqliteValue[]): unknown[];
}

/** An open database. Those of `node:sqlite`, `libsql` and `better-sqlite3` fit as they are. */
export interface SyncSqliteDriver {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

export type OpenSqlite = (path: string) => SyncSqliteDriver | Promise<SyncSqliteDriver>;

type DatabaseClass = new (path: string) => SyncSqliteDriver;

/** Where libraries come from. */
export interface DriverSources {
  builtin(id: string): unknown;
  load(name: "libsql" | "better-sqlite3"): Promise<unknown>;
}

const platform: DriverSources = {
  builtin: builtinModule,
  // Literal names, so that bundlers and licence checkers see them.
  load(name) {
    if (name === "libsql") return import("libsql");
    // @ts-expect-error An optional peer: not installed here, and its types are not needed.
    return import("better-sqlite3");
  },
};

/** @throws TillSyncError `storage_unavailable`: says what to install. */
export async function findDriver(sources: DriverSources = platform): Promise<OpenSqlite> {
  const builtin = sources.builtin("node:sqlite") as { DatabaseSync?: DatabaseClass } | undefined;
  if (builtin?.DatabaseSync !== undefined) return opener(builtin.DatabaseSync);

  const failures: unknown[] = [];
  for (const name of ["libsql", "better-sqlite3"] as const) {
    try {
      const module = (await sources.load(name)) as { default: DatabaseClass };
      return opener(module.default);
    } catch (error) {
      failures.push(error); // not installed, or built for another platform: the message names both ways out
    }
  }
  throw new TillSyncError(
    "storage_unavailable",
    "Expected a SQLite library, found none: this runtime has no `node:sqlite` (Node 22.13 has it), and neither `libsql` nor " +
      "`better-sqlite3` could be loaded. Run `npm install libsql`, or pass an open database as `driver`.",
    { adapter: "sqlite" },
    { cause: new AggregateError(failures, failures.map(String).join("; ")) },
  );
}

function opener(Database: DatabaseClass): OpenSqlite {
  return (path) => new Database(path);
}
