/**
 * The part of a SQLite library that is used, and how a library is found.
 *
 * It is synchronous on purpose: a transaction then runs in one go, and nothing else in this process runs between its
 * statements.
 */
import { builtinModule } from "../../shared/builtin.ts";
import { TillSyncError } from "../../shared/errors.ts";

/** A parameter or a column. Numbers are integers up to 2^53 - 1, or doubles. */
export type SqliteValue = string | number | null;

/** A prepared statement. Its parameters are positional (`?`). */
export interface SqliteStatement {
  /** Runs it for its effect. The result is not used. */
  run(...parameters: SqliteValue[]): unknown;
  /** Runs it to its end and returns its rows: objects with a member for each column. */
  all(...parameters: SqliteValue[]): unknown[];
}

/** An open database. Those of `node:sqlite`, `libsql` and `better-sqlite3` fit without an adapter. */
export interface SyncSqliteDriver {
  /** Runs one or several statements without parameters. */
  exec(sql: string): unknown;
  /** Prepares one statement. */
  prepare(sql: string): SqliteStatement;
  /** Closes the database. */
  close(): unknown;
}

/** Opens the database at `path`, and creates the file if there is none. */
export type OpenSqlite = (path: string) => SyncSqliteDriver | Promise<SyncSqliteDriver>;

type DatabaseClass = new (path: string) => SyncSqliteDriver;

/** How libraries are loaded. */
export interface DriverSources {
  builtin(id: string): unknown;
  load(name: "libsql" | "better-sqlite3"): Promise<unknown>;
}

const platform: DriverSources = {
  builtin: builtinModule,
  // Literal names, so bundlers and licence checkers see them.
  load(name) {
    if (name === "libsql") return import("libsql");
    // @ts-expect-error An optional peer: it is not installed here, and its types are not needed.
    return import("better-sqlite3");
  },
};

/** @throws TillSyncError `storage_unavailable`: its message says what to install */
export async function findDriver(sources: DriverSources = platform): Promise<OpenSqlite> {
  const builtin = sources.builtin("node:sqlite") as { DatabaseSync?: DatabaseClass } | undefined;
  if (builtin?.DatabaseSync !== undefined) return opener(builtin.DatabaseSync);

  const failures: unknown[] = [];
  for (const name of ["libsql", "better-sqlite3"] as const) {
    try {
      const module = (await sources.load(name)) as { default: DatabaseClass };
      return opener(module.default);
    } catch (error) {
      failures.push(error); // not installed, or built for another platform: the message below names both remedies
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
