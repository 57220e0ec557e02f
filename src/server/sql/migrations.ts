/** Decides which migrations a database still needs, and which databases are left alone. Pure. */
import { TillSyncError } from "../../shared/errors.ts";

/** One step of the schema. */
export interface Migration {
  /** From 1, without a gap. */
  readonly number: number;
  /** For people. */
  readonly name: string;
  /** The statements, run in one transaction. */
  readonly sql: string;
}

/** A migration with the checksum of its SQL: what was applied must be what this code believes was applied. */
export interface CheckedMigration extends Migration {
  readonly checksum: string;
}

/**
 * The migrations that the database lacks, in order. The caller writes nothing if this throws: a database with a newer
 * schema is left for the newer version.
 *
 * @param applied the checksums of the applied migrations, by number
 * @throws TillSyncError `storage_newer`, `storage_corrupt`
 */
export function pendingMigrations(
  applied: ReadonlyMap<number, string>,
  known: readonly CheckedMigration[],
): readonly CheckedMigration[] {
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
      `Migration ${number} (${name}) of the database is not the one of this version of tillsync: a released migration was edited, or the database belongs to a fork.`,
      { table: "tillsync_migrations" },
    );
  }
  return known.filter(({ number }) => !applied.has(number));
}
