/** What can go wrong at the till itself, in words for the cashier. */
import { isTillSyncError } from "tillsync";

/** Why a sale or a refund was not stored. Then it has not happened: no receipt, no change. */
export function notSavedWords(error: unknown): string {
  if (!isTillSyncError(error)) return "Something went wrong in the till itself.";
  switch (error.code) {
    case "storage_full":
      return "This device is full. Free some space and try again.";
    case "storage_unavailable":
      return "The till's storage does not answer. Try again; if it stays so, load the page again.";
    case "transaction_contended":
      return "Another tab of this till was busy with the same. Try again.";
    case "client_closed":
      return "The till was closed in this tab. Load the page again.";
    case "validation_failed":
      return `The till can't record this: ${error.details.issues.map(({ message }) => message).join("; ")}.`;
    default:
      return error.message;
  }
}

export interface StorageFault {
  readonly title: string;
  readonly advice: string;
}

/** Why the till could not open its data. */
export function storageFault(error: unknown): StorageFault {
  const code = isTillSyncError(error) ? error.code : undefined;
  switch (code) {
    case "storage_full":
      return { title: "This device is full", advice: "Free some space, then load the till again." };
    case "storage_newer":
      return {
        title: "This page is older than the till's data",
        advice: "Close every tab of the till and open it again, so that it takes its newest version.",
      };
    case "storage_corrupt":
      return {
        title: "The till's data can't be read",
        advice: "Don't clear it: unsent sales may be in it. Call support.",
      };
    default:
      return {
        title: "The till can't open its storage",
        advice: "Close other tabs of the till, leave private browsing, allow this site to store data, then try again.",
      };
  }
}
