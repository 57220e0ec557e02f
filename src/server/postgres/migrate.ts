/**
 * Brings a database to the schema of this code. (server/postgres)
 *
 * Each migration is one transaction with its row in `tillsync_migrations`. Row 0 of that table is the lock: who holds it looks
 * again, so that of two processes that open a new database together one migrates and the other finds it done. It is a row and
 * not an advisory lock, which poolers and engines of the same protocol have or have not.
 */
import { TillSyncError } from "../../shared/errors.ts";
import type { Connection } from "./connection.ts";

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** With the checksum of its text: what was applied must be what this code believes was applied. */
export interface CheckedMigration extends Migration {
  readonly checksum: string;
}

const LOCK = 0;

/**
 * Nothing is written where this throws: a database of a newer version is left for the newer version.
 * @throws TillSyncError `storage_newer`, `storage_corrupt`
 */
export async function pendingMigrations(
  connection: Connection,
  known: readonly CheckedMigration[],
): Promise<readonly CheckedMigration[]> {
  const applied = await appliedMigrations(connection);
  const stored = Math.max(0, ...applied.keys());
  const supported = known.length;
  if (stored > supported) {
    throw new TillSyncError(
      "storage_newer",
      `The database has schema ${stored}, this version of tillsync knows ${supported}. Run the newer version, or restore a backup from before the upgrade.`,
      { stored, supported },
    );
  }
  for (const { number, name, checksum } of known) {
    const found = applied.get(number);
    if (found === undefined || found === checksum) continue;
    throw new TillSyncError(
      "storage_corrupt",
      `Migration ${number} (${name}) of the database is not the one of this version of tillsync: a released migration was edited, or the schema belongs to a fork.`,
      { table: "tillsync_migrations" },
    );
  }
  return known.filter(({ number }) => !applied.has(number));
}

/** The schema is there, and comes first in `search_path`. Of objects that two make at once, one process gets an error, and looks again. */
export async function migrate(connection: Connection, known: readonly CheckedMigration[]): Promise<void> {
  const pending = await pendingMigrations(connection, known);
  if (pending.length === 0) return;
  await connection.script(
    "create table if not exists tillsync_migrations (number bigint not null primary key, name text not null, checksum text not null)",
  );
  await connection.all(
    "insert into tillsync_migrations (number, name, checksum) values ($1, 'lock', '') on conflict (number) do nothing",
    String(LOCK),
  );
  for (const { number } of pending) {
    await locked(connection, async () => {
      const migration = (await pendingMigrations(connection, known))[0];
      if (migration?.number !== number) return; // another process was first
      await connection.script(migration.sql);
      await connection.all(
        "insert into tillsync_migrations (number, name, checksum) values ($1, $2, $3)",
        String(number),
        migration.name,
        migration.checksum,
      );
    });
  }
}

/** A transaction that no other opener is in. */
export async function locked(connection: Connection, work: () => Promise<void>): Promise<void> {
  try {
    await connection.script("begin");
    await connection.all("select 1 from tillsync_migrations where number = $1 for update", String(LOCK));
    await work();
    await connection.script("commit");
  } catch (error) {
    await connection.rollback();
    throw error;
  }
}

async function appliedMigrations(connection: Connection): Promise<ReadonlyMap<number, string>> {
  const [[table] = []] = await connection.all("select to_regclass('tillsync_migrations')::text");
  if (table === null) return new Map();
  const rows = await connection.all(
    "select number, checksum from tillsync_migrations where number <> $1",
    String(LOCK),
  );
  return new Map(rows.map(([number, checksum]) => [Number(number), String(checksum)]));
}
