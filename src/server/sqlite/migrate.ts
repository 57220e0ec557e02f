/**
 * Brings a database to the schema of this code. (server/sqlite)
 *
 * Each migration is one transaction with its row in `tillsync_migrations`, and looks again once it holds the write lock: of
 * two processes that open a new database together, one migrates and the other finds it done.
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

/**
 * Nothing is written where this throws: a database of a newer version is left for the newer version.
 * @throws TillSyncError `storage_newer`, `storage_corrupt`
 */
export function pendingMigrations(
  connection: Connection,
  known: readonly CheckedMigration[],
): readonly CheckedMigration[] {
  const applied = appliedMigrations(connection);
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
      `Migration ${number} (${name}) of the database is not the one of this version of tillsync: a released migration was edited, or the file belongs to a fork.`,
      { table: "tillsync_migrations" },
    );
  }
  return known.filter(({ number }) => !applied.has(number));
}

export function migrate(connection: Connection, known: readonly CheckedMigration[]): void {
  for (const { number } of pendingMigrations(connection, known)) {
    connection.transaction("immediate", () => {
      const migration = pendingMigrations(connection, known)[0];
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
