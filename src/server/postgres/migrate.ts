/**
 * Brings a database to the schema of this code.
 *
 * Each migration is one transaction with its row in `tillsync_migrations`. Row 0 of that table is the lock: who holds it looks
 * again, so that of two processes that open a new database together one migrates and the other finds it done. It is a row and
 * not an advisory lock, which poolers and engines of the same protocol have or have not.
 */
import { type CheckedMigration, pendingMigrations } from "../sql/migrations.ts";
import type { Connection } from "./connection.ts";

const LOCK = 0;

/** @throws TillSyncError `storage_newer`, `storage_corrupt` */
export async function pendingIn(
  connection: Connection,
  known: readonly CheckedMigration[],
): Promise<readonly CheckedMigration[]> {
  return pendingMigrations(await appliedMigrations(connection), known);
}

/** The schema is there, and comes first in `search_path`. Of objects that two make at once, one process gets an error, and looks again. */
export async function migrate(connection: Connection, known: readonly CheckedMigration[]): Promise<void> {
  const pending = await pendingIn(connection, known);
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
      const migration = (await pendingIn(connection, known))[0];
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
