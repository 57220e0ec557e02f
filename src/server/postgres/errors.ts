/** Translates PostgreSQL's errors into those of the store port. */
import { messageOf, TillSyncError } from "../../shared/errors.ts";

/** The connection failed without a response from PostgreSQL: the last request may have taken effect. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";

  constructor(cause: unknown) {
    super(`The connection to the database was lost: ${messageOf(cause)}`, { cause });
  }
}

interface ServerError {
  /** https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly code: string;
  readonly severity: string;
}

/** Whether the error is a response from PostgreSQL, and not from the network or the driver. */
export function isServerError(error: unknown): error is ServerError {
  if (typeof error !== "object" || error === null) return false;
  const { code, severity } = error as Partial<Record<keyof ServerError, unknown>>;
  return typeof severity === "string" && typeof code === "string" && /^[0-9A-Z]{5}$/.test(code);
}

export function sqlState(error: unknown): string | undefined {
  return isServerError(error) ? error.code : undefined;
}

const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";

/** The transaction had no effect; a retry may succeed. */
export function isSerialization(error: unknown): boolean {
  return [SERIALIZATION_FAILURE, DEADLOCK_DETECTED].includes(sqlState(error) ?? "");
}

const INVALID_SQL_STATEMENT_NAME = "26000";

/**
 * A statement is not prepared in the session that was to run it: a pooler in transaction mode moved the connection to
 * another session. The transaction had no effect.
 */
export function isUnprepared(error: unknown): boolean {
  return sqlState(error) === INVALID_SQL_STATEMENT_NAME;
}

/** Two processes created the same object at once: the one that failed finds it on a retry. */
export function isCreatedTwice(error: unknown): boolean {
  // unique_violation (of a catalogue), duplicate_schema, duplicate_table, duplicate_object
  return ["23505", "42P06", "42P07", "42710"].includes(sqlState(error) ?? "");
}

/**
 * Whether the statement certainly had no effect. A fatal error ends the connection and says nothing about the
 * statement.
 */
export function isRefusal(error: unknown): boolean {
  return isServerError(error) && error.severity === "ERROR";
}

const messages: Readonly<Record<string, string>> = {
  "28000": "The database refused the sign-in. Check the user and the password of `url`, and the server's pg_hba.conf.",
  "28P01": "The database refused the user or the password of `url`.",
  "3D000": "There is no such database. Create it (`createdb`), or check the name in `url`.",
  "25006": "The database accepts no writes: it is a standby, or set to read-only. `url` must lead to the primary.",
  "25P03": "A transaction was idle for too long and was ended. Nothing in it was stored.",
  "40001": "The transaction could not be serialised, although it was retried. Nothing in it was stored.",
  "40P01": "The transaction ran into deadlocks, although it was retried. Nothing in it was stored.",
  "42501":
    "The database denied permission. The user of `url` must own the tables, or be a member of the role that may use them.",
  "53300":
    "The database has no connections left. Raise its max_connections, or lower `maxConnections` of the processes.",
  "55P03": "Another process held the tenant's clock row for too long. Nothing was stored.",
  "57014":
    "A statement took longer than `statementTimeoutMs` and was cancelled. Nothing in its transaction was stored.",
};

/**
 * A TillSyncError if the database is at fault. Any other error is returned unchanged: a script's own, a violated
 * constraint.
 */
export function storeError(error: unknown): unknown {
  if (error instanceof ConnectionLost) return unavailable("The connection to the database was lost.", error);
  const code = sqlState(error);
  if (code === undefined) return error;
  const message = messages[code];
  if (message !== undefined) return unavailable(message, error);
  switch (code.slice(0, 2)) {
    case "08":
    case "57":
      return unavailable("The database went away: it was stopped, or it closed the connection.", error);
    case "53":
      if (code !== "53100") return unavailable("The database is short of resources.", error);
      return new TillSyncError(
        "storage_full",
        "The disk of the database is full. Nothing in the transaction was stored.",
        { usedBytes: undefined, quotaBytes: undefined },
        { cause: error },
      );
    case "58":
      return unavailable("The database could not read or write its files.", error);
    case "XX":
      if (code === "XX000") return error; // a bug in PostgreSQL or in this code
      return new TillSyncError(
        "storage_corrupt",
        "The database reports that its data is damaged. Restore it from a backup; the tills will send what the backup lacks.",
        { table: "database" },
        { cause: error },
      );
    default:
      return error;
  }
}

/** A `commit` got no response. The caller may send the same again: what is stored is found by its id [L2]. */
export function unknownOutcome(cause: unknown): TillSyncError<"storage_unavailable"> {
  const message =
    "The connection was lost while the transaction was being committed: it may or may not be stored. It is safe to send the same again.";
  return unavailable(message, cause);
}

/** @param where host, port and database. Not the URL: it contains a password. */
export function unreachable(where: string, cause: unknown): unknown {
  if (isServerError(cause)) return storeError(cause);
  return unavailable(
    `The database at ${where} could not be reached: ${messageOf(cause)}. It must be running and accept connections from this machine.`,
    cause,
  );
}

export function unavailable(message: string, cause?: unknown): TillSyncError<"storage_unavailable"> {
  const options = cause === undefined ? {} : { cause };
  return new TillSyncError("storage_unavailable", message, { adapter: "postgres" }, options);
}
