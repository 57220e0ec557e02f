/** Derives the status of the whole client. Pure. */
import type { AnyTillSyncError } from "../../shared/errors.ts";
import { deepEqual, type JsonObject } from "../../shared/json.ts";
import type { StorageEstimate } from "../ports/storage.ts";
import type { CursorState, QueueState, SyncPoint } from "../state/meta.ts";
import type { ActionCause, OfflineCause, SyncOutcome, SyncPhase, SyncStatus } from "../types/status.ts";
import type { ClockOffset } from "./clock-offset.ts";
import type { SyncState } from "./sync-machine.ts";

export interface StatusInput {
  /** Whether the store has been opened. */
  readonly opened: "not" | "opening" | "open" | "closed";
  /** Why the store can't be used. */
  readonly failure: AnyTillSyncError | undefined;
  /** The state of the loop that syncs this store, here or in another tab. */
  readonly sync: SyncState;
  /** When the next request is due, in epoch ms by this device's clock. */
  readonly retryAt: number | undefined;
  /** Whether the platform believes that it has a network. */
  readonly online: boolean;
  /** Whether the server has answered since the client was created. */
  readonly contacted: boolean;
  readonly queue: QueueState;
  readonly point: SyncPoint;
  readonly cursors: Readonly<Record<string, CursorState>>;
  readonly clock: ClockOffset;
  readonly storage: StorageEstimate | undefined;
}

/** The next status. `since` changes only with the phase. Returns `before` itself if nothing differs. */
export function deriveStatus(before: SyncStatus | undefined, facts: StatusInput, now: number): SyncStatus {
  const phase = phaseOf(facts);
  const { queue, point, storage } = facts;
  const count = waitingCount(queue);
  const next = {
    since: before?.phase === phase.phase ? before.since : now,
    pending: { count, oldestAt: count === 0 ? undefined : queue.oldestAt, byCollection: queue.waiting },
    waiting: Object.entries(facts.cursors).flatMap(([collection, { waits }]) =>
      waits === undefined ? [] : [{ collection, cause: waits }],
    ),
    attention: { conflicts: queue.conflicts, rejected: queue.rejected, quarantined: queue.quarantined },
    lastPushAt: point.lastPushAt,
    lastPullAt: point.lastPullAt,
    clock: facts.clock,
    storage: {
      persisted: storage?.persisted ?? false,
      usedBytes: storage?.usedBytes,
      quotaBytes: storage?.quotaBytes,
      atRisk: atRisk(storage),
    },
    ...phase,
  } as SyncStatus;
  return before !== undefined && same(before, next) ? before : Object.freeze(next);
}

/** How many operations wait for the server, in all collections. */
export function waitingCount(queue: QueueState): number {
  return Object.values(queue.waiting).reduce((sum: number, n) => sum + (n ?? 0), 0);
}

/** From this share of the quota on, the disk counts as full: browsers pad their estimates, and a sale needs room. */
const FULL_SHARE = 0.95;

function atRisk(storage: StorageEstimate | undefined): "eviction" | "full" | undefined {
  if (storage === undefined) return undefined;
  const { usedBytes, quotaBytes, persisted, full } = storage;
  if (full) return "full";
  if (usedBytes !== undefined && quotaBytes !== undefined && usedBytes > quotaBytes * FULL_SHARE) return "full";
  return persisted ? undefined : "eviction";
}

function phaseOf(facts: StatusInput): SyncPhase {
  const { sync } = facts;
  if (facts.opened === "closed" || sync.kind === "closed") return { phase: "closed" };
  if (facts.failure) return { phase: "failed", error: facts.failure };
  if (facts.opened === "not") return { phase: "stopped" };
  if (facts.opened === "opening") return { phase: "opening" };
  switch (sync.kind) {
    case "stopped":
      return { phase: "stopped" };
    case "paused":
      return { phase: "paused", reasons: sync.reasons };
    case "offline":
    case "action_needed":
      return failurePhase(facts, sync);
    case "registering":
      if (sync.after) return failurePhase(facts, sync.after);
      return firstSync(facts) ?? { phase: facts.contacted ? "online" : "opening", activity: "pulling" };
    case "standby":
      return firstSync(facts) ?? { phase: "online", activity: "idle" };
    case "online":
      return (
        firstSync(facts) ?? {
          phase: "online",
          activity: sync.lanes.push !== "idle" ? "pushing" : sync.lanes.pull !== "idle" ? "pulling" : "idle",
        }
      );
  }
}

type ShownFailure =
  | { readonly kind: "offline"; readonly cause: OfflineCause }
  | { readonly kind: "action_needed"; readonly cause: ActionCause };

function failurePhase({ online, retryAt }: StatusInput, failure: ShownFailure): SyncPhase {
  if (failure.kind === "action_needed") return { phase: "action_needed", cause: failure.cause };
  return { phase: "offline", cause: online ? failure.cause : "no_network", retryAt };
}

/**
 * Whether the first pull of the collection is over. A collection that waits for an update does not hold up the others
 * [H7].
 */
export function isPulled({ everComplete, waits }: CursorState): boolean {
  return everComplete || (waits !== undefined && waits !== "schema_newer");
}

function firstSync({ cursors }: StatusInput): SyncPhase | undefined {
  const open = Object.entries(cursors).filter(([, cursor]) => !isPulled(cursor));
  if (open.length === 0) return undefined;
  const all = Object.values(cursors);
  const received = all.reduce((sum, cursor) => sum + cursor.received, 0);
  const known = open.every(([, cursor]) => cursor.remaining !== undefined);
  const expected = known ? received + open.reduce((sum, [, cursor]) => sum + (cursor.remaining ?? 0), 0) : undefined;
  return { phase: "first_sync", progress: { received, expected, waitingFor: open.map(([name]) => name) } };
}

/** The outcome of a `sync()`, or `undefined` while it is still running. `counts`: what this `sync()` has moved. */
export function outcomeOf(
  facts: Pick<StatusInput, "sync" | "online" | "queue">,
  counts: { readonly pushed: number; readonly pulled: number },
): SyncOutcome | undefined {
  const { sync } = facts;
  const remaining = waitingCount(facts.queue);
  switch (sync.kind) {
    case "stopped":
    case "closed":
    case "standby":
      return { outcome: "done", ...counts, remaining };
    case "paused":
      return { outcome: "paused", reasons: sync.reasons, remaining };
    case "registering":
      return undefined;
    default:
      if (sync.lanes.push !== "idle" || sync.lanes.pull !== "idle") return undefined;
      if (sync.kind === "online") return { outcome: "done", ...counts, remaining };
      if (sync.kind === "action_needed") return { outcome: "action_needed", cause: sync.cause, remaining };
      return { outcome: "offline", cause: facts.online ? sync.cause : "no_network", remaining };
  }
}

/** Compares by value, except for the error, which is compared by identity. */
function same(a: SyncStatus, b: SyncStatus): boolean {
  const { error, ...facts } = a as SyncStatus & { readonly error?: unknown };
  const { error: other, ...others } = b as SyncStatus & { readonly error?: unknown };
  return error === other && deepEqual(facts as unknown as JsonObject, others as unknown as JsonObject);
}
