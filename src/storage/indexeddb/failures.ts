/** What the errors of the platform mean, and what a person can do about them. (storage/indexeddb) */
import type { StorageEstimate } from "../../client/ports/storage.ts";
import { isTillSyncError, TillSyncError } from "../../shared/errors.ts";

export const KIND = "indexeddb";

/**
 * Whether the connection, and not the work, is what failed: then the work is worth repeating on a new connection, and never
 * on this one. Seen in the wild as "The database connection is closing", "Connection to Indexed Database server lost",
 * and as transactions that abort without a reason. https://bugs.webkit.org/show_bug.cgi?id=197050
 */
export function isConnectionLoss(error: unknown): boolean {
  return ["InvalidStateError", "UnknownError", "AbortError", "TransactionInactiveError", "TimeoutError"].includes(
    nameOf(error),
  );
}

export function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : "";
}

export function unavailable(message: string, cause?: unknown): TillSyncError<"storage_unavailable"> {
  return new TillSyncError("storage_unavailable", message, { adapter: KIND }, { cause });
}

export function silence(what: string, ms: number): TillSyncError<"storage_unavailable"> {
  return unavailable(
    `The browser's database did not answer ${what} within ${ms} ms, so it is not known whether it was done. ` +
      "Close other tabs of this application and reload; if that does not help, restart the browser.",
  );
}

/** The typed error for one that is final. Those that have a code keep it. */
export async function typedError(
  error: unknown,
  table: string,
  estimate: () => Promise<StorageEstimate>,
): Promise<unknown> {
  if (isTillSyncError(error)) return error;
  const text =
    error instanceof Error || error instanceof DOMException ? `${error.name}: ${error.message}` : String(error);
  if (nameOf(error) === "QuotaExceededError") {
    const { usedBytes, quotaBytes } = await estimate();
    return new TillSyncError(
      "storage_full",
      `Nothing was stored: the browser gives this site no more space (${usedBytes ?? "?"} of ${quotaBytes ?? "?"} bytes used). ` +
        "Free space on this device's disk, or send what is waiting and clear what can be fetched again.",
      { usedBytes, quotaBytes },
      { cause: error },
    );
  }
  if (isCorruption(error)) return corrupt(table, error);
  if (isConnectionLoss(error))
    return unavailable(`The browser's database failed (${text}). Nothing was stored. Reload the page.`, error);
  return new TillSyncError("internal", `The browser's database refused a request (${text}).`, {}, { cause: error });
}

/** Chromium: "Internal error opening backing store", and `NotReadableError` for a value whose file is gone. */
export function isCorruption(error: unknown): boolean {
  return (
    nameOf(error) === "NotReadableError" ||
    (error instanceof DOMException && /backing store|corrupt/i.test(error.message))
  );
}

export function corrupt(table: string, cause: unknown): TillSyncError<"storage_corrupt"> {
  return new TillSyncError(
    "storage_corrupt",
    `The stored data can't be read (${table}). Nothing was deleted: export what can be read before clearing the site's data. ` +
      "A full or failing disk is the usual cause.",
    { table },
    { cause },
  );
}
