/** Translates SQLite's errors into those of the store port. */
import { TillSyncError } from "../../shared/errors.ts";

/** Primary result codes: https://www.sqlite.org/rescode.html */
const BUSY = 5;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

const numbers: Readonly<Record<string, number>> = { BUSY, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB };

/** The primary result code; `undefined` if the error is not one of SQLite's. */
export function resultCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (typeof errcode === "number") return errcode & 0xff; // node:sqlite
  if (typeof code !== "string") return undefined;
  // libsql and better-sqlite3 give the extended name: SQLITE_BUSY_RECOVERY, SQLITE_IOERR_WRITE.
  return numbers[/^SQLITE_([A-Z]+)/.exec(code)?.[1] ?? ""];
}

/** Another connection holds the lock. Nothing happened; a retry may succeed. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === BUSY;
}

/**
 * A TillSyncError if the disk or the file is at fault. Any other error is returned unchanged: a script's own, a
 * violated constraint.
 */
export function storeError(error: unknown): unknown {
  switch (resultCode(error)) {
    case BUSY:
      return unavailable("Another process has held the database's write lock for too long.", error);
    case READONLY:
    case IOERR:
    case CANTOPEN:
      return unavailable("The database file could not be read or written.", error);
    case FULL:
      return new TillSyncError(
        "storage_full",
        "The disk of the database is full. Nothing in the transaction was stored.",
        { usedBytes: undefined, quotaBytes: undefined },
        { cause: error },
      );
    case CORRUPT:
    case NOTADB:
      return new TillSyncError(
        "storage_corrupt",
        "The database file is damaged, or is not a SQLite database. Restore it from a backup; the tills will send what the backup lacks.",
        { table: "database" },
        { cause: error },
      );
    default:
      return error;
  }
}

export function unavailable(message: string, cause?: unknown): TillSyncError<"storage_unavailable"> {
  return new TillSyncError("storage_unavailable", message, { adapter: "sqlite" }, cause === undefined ? {} : { cause });
}
