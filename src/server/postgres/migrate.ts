/**
 * Migrates a database to the schema of this code.
 *
 * Each migration and its row in `tillsync_migrations` are one transaction. Row 0 of that table is the lock. A process
 * that holds it checks again what is pending: of two processes that open a new database together, one migrates and
 * the other finds it done. The lock is a row because not every pooler, and not every engine with this protocol,
 * supports advisory locks.
 */
import { type CheckedMigration, pendingMigrations } from "../sql/migrations.ts";
import type { Connection, Statement } from "./connection.ts";

const LOCK = 0;

/** Every step is a transaction, whose settings end with it: a pooler may give the session to other clients. */
export async function inTransaction<T>(
  connection: Connection,
  settings: Statement,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await connection.run([{ text: "begin", values: [] }, settings]);
    const value = await work();
    await connection.run([{ text: "commit", values: [] }]);
    return value;
  } catch (error) {
    await connection.rollback();
    throw error;
  }
}

/** Until the transaction ends, no other process migrates or grants. */
export async function lockMigrations(connection: Connection): Promise<void> {
  await connection.all("select 1 from tillsync_migrations where number = $1 for update", String(LOCK));
}

/** @throws TillSyncError `storage_newer`, `storage_corrupt` */
export async function pendingIn(
  connection: Connection,
  known: readonly CheckedMigration[],
): Promise<readonly CheckedMigration[]> {
  return pendingMigrations(await appliedMigrations(connection), known);
}

/**
 * The schema must exist, and `settings` put it first in `search_path`. If two processes create the same object at once,
 * one of them gets an error for which {@link isCreatedTwice} holds; its caller tries again.
 */
export async function migrate(
  connection: Connection,
  settings: Statement,
  known: readonly CheckedMigration[],
): Promise<void> {
  const pending = await inTransaction(connection, settings, async () => {
    const found = await pendingIn(connection, known);
    if (found.length > 0) await makeLock(connection);
    return found;
  });
  for (const { number } of pending) {
    await inTransaction(connection, settings, async () => {
      await lockMigrations(connection);
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

async function makeLock(connection: Connection): Promise<void> {
  await connection.script(
    "create table if not exists tillsync_migrations (number bigint not null primary key, name text not null, checksum text not null)",
  );
  await connection.all(
    "insert into tillsync_migrations (number, name, checksum) values ($1, 'lock', '') on conflict (number) do nothing",
    String(LOCK),
  );
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
