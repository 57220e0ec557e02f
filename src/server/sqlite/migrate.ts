/**
 * Migrates a database to the schema of this code.
 *
 * Each migration and its row in `tillsync_migrations` are one transaction, which checks again what is pending once it
 * holds the write lock: of two processes that open a new database together, one migrates and the other finds it done.
 */
import { type CheckedMigration, pendingMigrations } from "../sql/migrations.ts";
import type { Connection } from "./connection.ts";

/** @throws TillSyncError `storage_newer`, `storage_corrupt` */
export function pendingIn(connection: Connection, known: readonly CheckedMigration[]): readonly CheckedMigration[] {
  return pendingMigrations(appliedMigrations(connection), known);
}

export function migrate(connection: Connection, known: readonly CheckedMigration[]): void {
  for (const { number } of pendingIn(connection, known)) {
    connection.transaction("immediate", () => {
      const migration = pendingIn(connection, known)[0];
      if (migration?.number !== number) return; // another process was first
      if (number === 1) connection.script(MIGRATIONS_TABLE);
      connection.script(migration.sql);
      connection.run(
        "insert into tillsync_migrations (number, name, checksum) values (?, ?, ?)",
        number,
        migration.name,
        migration.checksum,
      );
    });
  }
}

const MIGRATIONS_TABLE =
  "create table tillsync_migrations (number integer not null primary key, name text not null, checksum text not null) strict";

function appliedMigrations(connection: Connection): ReadonlyMap<number, string> {
  const exists =
    connection.all("select 1 from sqlite_schema where type = 'table' and name = 'tillsync_migrations'").length > 0;
  if (!exists) return new Map();
  const rows = connection.all("select number, checksum from tillsync_migrations");
  return new Map(rows.map(({ number, checksum }) => [Number(number), String(checksum)]));
}
