/** The state of one record, as an app sees it. */
import type { Flag, VerdictIssue, Verdict as WireVerdict } from "../../protocol/types.ts";
import type { CollectionShape } from "../../schema/types.ts";

/**
 * How a record relates to the server. If several of its operations are in different states, it is the first of these:
 * - `rejected`: an edit of it was rejected, and is on the operations desk.
 * - `conflict`: an edit of it is in conflict.
 * - `quarantined`: an operation on it was set aside, for people to decide.
 * - `blocked`: an operation on it waits for other operations, or the server asked for a later retry.
 * - `pending`: an operation on it waits to be sent, or was sent and has no answer yet.
 * - `synced`: none of these.
 */
export type RecordSync = "synced" | "pending" | "blocked" | "conflict" | "rejected" | "quarantined";

/** The sync state of one record. */
export interface RecordMeta {
  /** The version of the server's record; 0 if the server has said nothing of it yet. */
  readonly version: number;
  /** How the record relates to the server. */
  readonly sync: RecordSync;
  /** How many operations on the record are pending or blocked. */
  readonly pendingOperations: number;
  /** The flags of the last operation that the server applied with flags; empty if there is none. */
  readonly flags: readonly Flag[];
  /** When this device last changed it, in epoch ms; `undefined` if it never did. */
  readonly changedHereAt: number | undefined;
  /** Deleted here, and not yet confirmed by the server. `get` and `find` no longer return it. */
  readonly deleted: boolean;
  /** The conflict that waits for a person, to be passed to `conflicts.get`. */
  readonly conflictId: string | undefined;
}

/** Why the server did not apply an operation: as on the wire, but `issues` is always there. */
export interface Verdict extends WireVerdict {
  /** The findings about single fields, each with the `path` of the field and a `message`; empty if there are none. */
  readonly issues: readonly VerdictIssue[];
}

/** How the work on one record ended. */
export type Settlement<H extends CollectionShape> =
  /** The server has everything. `record` includes what only the server fills in; `flags` are for people to see. */
  | { readonly state: "applied"; readonly record: H["record"]; readonly flags: readonly Flag[] }
  /** There is no such record on this device: it was deleted, or it never was here. */
  | { readonly state: "deleted" }
  /** An edit is in conflict and waits for a person: see `conflicts.get(conflictId)`. */
  | { readonly state: "conflict"; readonly conflictId: string }
  /** An operation was set aside, for the `reason` given, for people to decide. */
  | { readonly state: "quarantined"; readonly reason: Verdict }
  /** An edit was rejected, for the `reason` given. It is on the operations desk. */
  | { readonly state: "rejected"; readonly reason: Verdict };
