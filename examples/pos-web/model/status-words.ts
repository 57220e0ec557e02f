/** What the status of the client means to the people at the till. */
import type { SyncStatus } from "tillsync";
import { counted, lasting, until } from "./when.ts";

/** `good`: nothing to do. `busy`: under way. `waiting`: goes on automatically. `alert`: a person is needed. */
export type Tone = "good" | "busy" | "waiting" | "alert";

export interface StatusWords {
  readonly tone: Tone;
  /** On the chip: one or two words. */
  readonly label: string;
  /** The cause, in a sentence. */
  readonly cause: string;
  /** When it tries again automatically, in a sentence; empty if it doesn't. */
  readonly next: string;
  /** What it means for the sales, in a sentence. */
  readonly meaning: string;
  /** What a person can do. */
  readonly action: "sign_in" | "resume" | "reload" | undefined;
}

/** The reason with which the switch in the header pauses. */
export const FORCED_OFFLINE = "forced_offline";

export function statusWords(status: SyncStatus, now: number): StatusWords {
  const words = phaseWords(status, now);
  const entries = attentionCount(status);
  if (entries === 0) return words;
  return { ...words, meaning: `${words.meaning} ${counted(entries, "entry needs", "entries need")} a person.` };
}

/** What was rejected, quarantined or is in conflict: it waits for a person. */
export function attentionCount({ attention }: Pick<SyncStatus, "attention">): number {
  return attention.conflicts + attention.rejected + attention.quarantined;
}

function phaseWords(status: SyncStatus, now: number): StatusWords {
  const { count } = status.pending;
  const kept =
    count === 0 ? "Everything up to now is on the server." : `${counted(count, "change")} kept on this till.`;
  switch (status.phase) {
    case "stopped":
      return words("waiting", "Not started", "The till is not syncing yet.", kept);
    case "opening":
      return words("busy", "Starting", "The till is opening its data.", "A moment, please.");
    case "first_sync": {
      const { received, expected } = status.progress;
      const of = expected === undefined ? "" : ` of ${expected.toLocaleString()}`;
      return words("busy", "Loading", `Loading the shop: ${received.toLocaleString()}${of} records.`, kept);
    }
    case "online":
      return online(status.activity, count);
    case "offline": {
      const next = status.retryAt === undefined ? "Tries again by itself." : `Next try ${until(status.retryAt, now)}.`;
      return { ...words("waiting", "Offline", OFFLINE[status.cause], `Selling goes on. ${kept}`), next };
    }
    case "paused":
      return {
        ...words("waiting", "Offline by choice", "Switched off at this till.", `Selling goes on. ${kept}`),
        action: "resume",
      };
    case "action_needed":
      return { ...HELD[status.cause], meaning: `Selling goes on. ${kept}` };
    case "failed":
      return {
        ...words("alert", "Storage fault", `The till can't use its storage: ${status.error.message}`, STOP),
        action: "reload",
      };
    case "closed":
      return { ...words("alert", "Closed", "The till was closed in this tab.", STOP), action: "reload" };
  }
}

const STOP = "Don't sell before it is mended: a sale could not be kept.";

function online(activity: "idle" | "pushing" | "pulling", count: number): StatusWords {
  if (activity === "pushing") {
    return words(
      "busy",
      "Sending",
      `Sending ${counted(count, "change")} to the server.`,
      "Safe on this till meanwhile.",
    );
  }
  if (count > 0)
    return words("busy", "Online", "In touch with the server.", `${counted(count, "change")} about to be sent.`);
  return words("good", "Online", "In touch with the server.", "Every sale of this till is on the server.");
}

const OFFLINE = {
  no_network: "This device has no network.",
  unreachable: "The server can't be reached.",
  server_error: "The server has a fault.",
  throttled: "The server is busy and asked to wait.",
  device_error: "This device could not store what the server sent.",
} as const;

const HELD = {
  auth_required: held("Sign in again", "The till's sign-in has ended.", "sign_in"),
  device_revoked: held(
    "Till shut out",
    "The office has shut this till out. What it sells is set aside for the office.",
  ),
  wrong_workspace: held("Wrong shop", "The sign-in belongs to another shop than this till's data.", "sign_in"),
  protocol_unsupported: held("Update needed", "This version of the till is too old for the server.", "reload"),
  upgrade_needed: held("Update needed", "This version of the till is too old for the server.", "reload"),
} as const;

function words(tone: Tone, label: string, cause: string, meaning: string): StatusWords {
  return { tone, label, cause, next: "", meaning, action: undefined };
}

function held(label: string, cause: string, action?: StatusWords["action"]): Omit<StatusWords, "meaning"> {
  return { tone: "alert", label, cause, next: "", action };
}

/** The warning that the browser may delete the till's data, until it has promised not to. `undefined` for none. */
export function storageWords({ storage, pending }: Pick<SyncStatus, "storage" | "pending">): string | undefined {
  if (storage.atRisk === "full") {
    return "This device is almost full. Free some space: when it is full, no sale can be kept.";
  }
  if (storage.atRisk === "eviction") {
    const risk = pending.count === 0 ? "" : ` ${counted(pending.count, "change")} would be lost with it.`;
    return `The browser has not promised to keep this till's data, and may clear it when the device is full.${risk} Install the till as an app, or allow it to store data.`;
  }
  return undefined;
}

/** More than a till makes before somebody looks at it: then the server's count is wrong, or somebody else's doing. */
const MOST_MISSING = 10_000;

/** What a till may have lost whose storage was cleared or put back. The count is the server's, which believes any till. */
export function lostWords(missing: number | undefined): string {
  const isCount = missing !== undefined && missing <= MOST_MISSING;
  const what = isCount ? counted(missing, "change that was", "changes that were") : "Sales that were";
  return `This till's storage was cleared or put back. ${what} not sent yet may be missing: check the receipts of today.`;
}

/** How long something has been waiting. This shows whether a till has a problem; being online doesn't. */
export function waitingWords({ pending }: Pick<SyncStatus, "pending">, now: number): string {
  if (pending.count === 0) return "Nothing waits";
  const since =
    pending.oldestAt === undefined ? "" : `, the oldest for ${lasting(Math.max(0, now - pending.oldestAt))}`;
  return `${counted(pending.count, "change")}${since}`;
}
