/** Which migrations a database still needs, and which databases are left alone. Pure. */
import { TillSyncError } from "../../shared/errors.ts";

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
 * @param applied their checksums, by number
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
