/** Opens a file as a connection that keeps the store's guarantees. */
import { systemDigest } from "../../shared/digest.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import type { Random } from "../../shared/random.ts";
import type { CheckedMigration, Migration } from "../sql/migrations.ts";
import { Connection } from "./connection.ts";
import type { OpenSqlite, SyncSqliteDriver } from "./driver.ts";
import { isBusy, unavailable } from "./errors.ts";
import { migrate, pendingIn } from "./migrate.ts";

/**
 * Another process's commit takes a few ms. SQLite waits for it and blocks this process meanwhile; for anything longer,
 * `retryWhile` waits without blocking.
 */
const BUSY_TIMEOUT_MS = 10;

export interface OpenedDatabase {
  readonly connection: Connection;
  readonly secret: string;
}

/** @throws TillSyncError `storage_unavailable`, `storage_newer`, `storage_corrupt`; SQLite's own error if it is busy */
export async function openDatabase(
  path: string,
  open: OpenSqlite,
  migrations: readonly Migration[],
  random: Random,
): Promise<OpenedDatabase> {
  const known = await Promise.all(
    migrations.map(async (migration) => ({ ...migration, checksum: await systemDigest.sha256(migration.sql) })),
  );
  const connection = new Connection(await openFile(path, open));
  try {
    prepareFile(connection, path, known);
    return { connection, secret: readSecret(connection, random) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function openFile(path: string, open: OpenSqlite): Promise<SyncSqliteDriver> {
  try {
    return await open(path);
  } catch (error) {
    if (isTillSyncError(error) || isBusy(error)) throw error;
    throw unavailable(
      `The database ${JSON.stringify(path)} could not be opened. Its folder must exist and be writable.`,
      error,
    );
  }
}

function prepareFile(connection: Connection, path: string, known: readonly CheckedMigration[]): void {
  connection.script(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
  pendingIn(connection, known); // throws before anything in the file is changed

  const mode = connection.all("pragma journal_mode = wal")[0]?.journal_mode;
  if (mode !== "wal" && path !== ":memory:") {
    throw unavailable(
      `Expected the database ${JSON.stringify(path)} to take a write-ahead log, got journal mode ${String(mode)}. ` +
        "Network drives have no shared memory for it and no reliable locks: use a local disk.",
    );
  }
  connection.script(`
    pragma synchronous = full;
    pragma fullfsync = on;
    pragma checkpoint_fullfsync = on;
    pragma journal_size_limit = 67108864;
    pragma cache_size = -32768;
    pragma temp_store = memory;
  `); // fullfsync: on macOS a plain fsync returns before the disk has the bytes

  migrate(connection, known);
}

/** Created with the database. Two UUIDs have 148 random bits. */
function readSecret(connection: Connection, random: Random): string {
  const read = () => connection.all("select value from settings where name = 'secret'")[0]?.value;
  const stored = read();
  if (typeof stored === "string") return stored;
  const made = (random.uuid() + random.uuid()).replaceAll("-", "");
  return connection.transaction("immediate", () => {
    connection.run("insert into settings (name, value) values ('secret', ?) on conflict (name) do nothing", made);
    return String(read());
  });
}
