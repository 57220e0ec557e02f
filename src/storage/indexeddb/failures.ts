/** What the platform's errors mean, and what a person can do about them. */
import { isTillSyncError, TillSyncError } from "../../shared/errors.ts";
import { estimateSpace } from "./space.ts";

export const KIND = "indexeddb";

/**
 * Whether the connection failed, not the work. The work is then worth repeating on a new connection, and never on this
 * one. Seen in the wild as "The database connection is closing", "Connection to Indexed Database server lost", and as
 * transactions that abort without a reason. https://bugs.webkit.org/show_bug.cgi?id=197050
 */
export function isConnectionLoss(error: unknown): boolean {
  return /^(InvalidState|Unknown|Abort|TransactionInactive|Timeout)Error$/.test(nameOf(error));
}

/**
 * By shape and not by `instanceof`, as everything here: the error may be a frame's. (`factories.ts`)
 */
export function nameOf(error: unknown): string {
  const { name } = (error ?? {}) as { readonly name?: unknown };
  return typeof name === "string" ? name : "";
}

/** WebKit: the process that had the databases has ended, and this document is given no other one. */
export function isProcessLost(error: unknown): boolean {
  return nameOf(error) === "UnknownError" && /database server lost/i.test(String(error));
}

const isOfThePlatform = (error: unknown) => Object.prototype.toString.call(error) === "[object DOMException]";

export function unavailable(message: string, cause?: unknown): TillSyncError<"storage_unavailable"> {
  return new TillSyncError("storage_unavailable", message, { adapter: KIND }, { cause });
}

export function silence(what: string, ms: number): TillSyncError<"storage_unavailable"> {
  return unavailable(
    `Expected an answer from the browser's database (${what}), got none within ${ms} ms: ${NOT_KNOWN}`,
  );
}

/** The answer to a commit was lost, and every attempt to look failed too. */
export function unknownOutcome(cause: unknown): TillSyncError<"storage_unavailable"> {
  return unavailable(`The browser's database failed in the middle of a commit (${String(cause)}): ${NOT_KNOWN}`, cause);
}

const NOT_KNOWN =
  "it is not known whether it was done. Close the other tabs of this application and reload, or restart the browser.";

/** The typed error for an error that is final. A typed error is returned as it is. */
export async function typedError(error: unknown, table = "all tables"): Promise<unknown> {
  if (isTillSyncError(error)) return error;
  const name = nameOf(error);
  const options = { cause: error };
  if (name === "QuotaExceededError") {
    const { usedBytes, quotaBytes } = await estimateSpace();
    return new TillSyncError(
      "storage_full",
      `Nothing was stored: the browser gives this site no more space (${usedBytes ?? "?"} bytes used). ` +
        "Free space on the disk, or send what is waiting.",
      { usedBytes, quotaBytes },
      options,
    );
  }
  // Chromium: "Internal error opening backing store", and `NotReadableError` for a value whose file is gone.
  if (name === "NotReadableError" || (isOfThePlatform(error) && /backing store|corrupt/i.test(String(error)))) {
    return new TillSyncError(
      "storage_corrupt",
      `The stored data can't be read (${table}), and was left as it is. A full or failing disk is the usual cause. ` +
        "Export what can be read before clearing the site's data.",
      { table },
      options,
    );
  }
  // The request was wrong, not the platform.
  if (!isOfThePlatform(error) || /^(Data|NotFound|Constraint|ReadOnly|InvalidAccess)/.test(name))
    return new TillSyncError("internal", `The browser's database refused a request (${String(error)}).`, {}, options);
  return unavailable(
    `The browser's database failed (${String(error)}). Nothing was stored. ${
      isProcessLost(error)
        ? "Its process has ended. Load the page again."
        : "Reload, or restart the browser; if site data is blocked, as in a private window, use a normal window."
    }`,
    error,
  );
}
