/** The messages of the wire, as types. Each has its schema in the file that parses it. */
import type { JsonObject } from "../shared/json.ts";

/** A counter's step or value: a safe integer, or a decimal string for declared decimal counters. */
export type CounterValue = number | string;

interface OperationHead {
  /** UUID, v7 recommended. One id has at most one effect, ever (L2). */
  readonly id: string;
  /** Counts up in one incarnation of the local store; never reused, never renumbered [C7]. */
  readonly sequence: number;
  readonly collection: string;
  readonly entityId: string;
  /** Binds operations that take effect together; never split over two pushes [C1]. */
  readonly transaction?: string | undefined;
  /** Computed when sending: ids still open in this outbox that must take effect first [C2]. Not part of the payload. */
  readonly after?: readonly string[] | undefined;
  /** The operations that this one replaces, oldest first, the whole chain [C3]. */
  readonly supersedes?: readonly string[] | undefined;
  /** Of the operation's own data, not of the app that sends it [H7]. */
  readonly schemaVersion: number;
  /** The branch it was made in: a claim, never a grant [C10]. */
  readonly branch?: string | undefined;
  readonly actor?: string | undefined;
  /** RFC 3339, UTC. For people: nothing is ever ordered by it (L7). */
  readonly occurredAt: string;
  /** In a new epoch: what the lost history had answered [C8]. Not part of the payload. */
  readonly acknowledged?: Acknowledged | undefined;
}

export interface Acknowledged {
  readonly epoch: string;
  readonly version: number;
  readonly assigned?: JsonObject | undefined;
}

export interface CreateOperation extends OperationHead {
  readonly action: "create";
  readonly data: JsonObject;
}
export interface UpdateOperation extends OperationHead {
  readonly action: "update";
  readonly baseVersion: number;
  /** Top-level members; `null` is a value [M10]. */
  readonly patch: JsonObject;
  /** Names of members to remove. */
  readonly unset?: readonly string[] | undefined;
  /** Overwrites whatever is there, where policy allows; logged. */
  readonly force?: boolean | undefined;
}
export interface IncrementOperation extends OperationHead {
  readonly action: "increment";
  readonly by: Readonly<Record<string, CounterValue>>;
}
export interface DeleteOperation extends OperationHead {
  readonly action: "delete";
  readonly baseVersion: number;
  readonly force?: boolean | undefined;
}
/** Supersedes, and does nothing else. */
export interface VoidOperation extends OperationHead {
  readonly action: "void";
  /** At least one. */
  readonly supersedes: readonly string[];
}

export type WireOperation = CreateOperation | UpdateOperation | IncrementOperation | DeleteOperation | VoidOperation;
export type Action = WireOperation["action"];

/** A row as an answer carries it. Counters and assigned fields are members of `data`. */
export type RowState =
  | { readonly version: number; readonly data: JsonObject; readonly deleted?: undefined }
  | { readonly version: number; readonly deleted: true; readonly data?: undefined };

export interface Flag {
  readonly code: string;
  readonly message?: string | undefined;
  readonly discrepancyId?: string | undefined;
}

export interface VerdictIssue {
  readonly path: string;
  readonly message: string;
}
export interface Verdict {
  readonly code: string;
  readonly message: string;
  readonly issues?: readonly VerdictIssue[] | undefined;
}

interface ResultHead {
  readonly id: string;
  /** The stored result of an earlier delivery. */
  readonly replayed?: boolean | undefined;
  /** Counts the times that somebody else changed the result since (release, discard, resolution) [H3]. */
  readonly revision?: number | undefined;
  /** When the result was committed, or last revised: epoch ms of the server. */
  readonly at?: number | undefined;
}
export interface AppliedResult extends ResultHead {
  readonly status: "applied";
  /** The tenant's change position of the operation; 0 for a `void`. */
  readonly version: number;
  /** The row as stored by this operation; absent for a fact, or where the row's version before it was `baseVersion` [C4]. */
  readonly data?: JsonObject | undefined;
  /** The operation deleted the row, or found it deleted. */
  readonly deleted?: boolean | undefined;
  readonly assigned?: JsonObject | undefined;
  readonly flags?: readonly Flag[] | undefined;
}
export interface ConflictResult extends ResultHead {
  readonly status: "conflict";
  readonly conflictId: string;
  readonly fields: readonly string[];
  readonly server: RowState;
}
export interface RejectedResult extends ResultHead {
  readonly status: "rejected";
  readonly error: Verdict;
  /** `already_applied`, `already_superseded`, `superseded`: the operation that stands. */
  readonly by?: string | undefined;
  /** The row as it is, where the device may see it. */
  readonly server?: RowState | undefined;
}
export interface QuarantinedResult extends ResultHead {
  readonly status: "quarantined";
  readonly error: Verdict;
}
export type FinalResult = AppliedResult | ConflictResult | RejectedResult | QuarantinedResult;

/** Not final, not stored, costs no budget. */
export interface BlockedResult extends ResultHead {
  readonly status: "blocked";
  readonly by: readonly string[];
  /** The row is unknown, lost by a restore: another till may still bring it [C8.6]. */
  readonly missing?: boolean | undefined;
}
export interface RetryResult extends ResultHead {
  readonly status: "retry";
  readonly afterMs?: number | undefined;
  readonly error: Verdict;
}
export type OperationResult = FinalResult | BlockedResult | RetryResult;

export interface DeviceRef {
  readonly id: string;
  readonly incarnation: string;
}
/** The last mark of push answers and the last one of pull answers: one of each, never one common [C8]. */
export interface Marks {
  readonly push?: string | undefined;
  readonly pull?: string | undefined;
}

export interface RegisterRequest {
  readonly device: DeviceRef & {
    readonly name?: string | undefined;
    readonly os?: string | undefined;
    readonly appVersion?: string | undefined;
  };
  readonly schemaVersion: number;
  /** Absent at the first contact. */
  readonly epoch?: string | undefined;
  readonly marks?: Marks | undefined;
}
export interface RegisterResponse {
  readonly requestId: string;
  readonly tenant: string;
  readonly branch?: string | undefined;
  readonly device: {
    readonly id: string;
    readonly registeredAt: string;
    /** Document prefix. Belongs to the incarnation: two clones must not print the same numbers [C7]. */
    readonly number: number;
  };
  readonly epoch: string;
  /** At the first contact: where this store's results begin. It keeps it as both of its marks. */
  readonly mark?: string | undefined;
  /** The highest sequence known of this incarnation; 0 for none. Only to notice a rolled-back store, and for gaps. */
  readonly lastSequence: number;
  /** The device's other incarnations and how many of their sequence numbers never arrived [M11]. */
  readonly unsynced: readonly {
    readonly incarnation: string;
    readonly lastSequence: number;
    readonly missing: number;
  }[];
  readonly serverTime: string;
}

export interface PushRequest {
  readonly device: DeviceRef;
  readonly epoch: string;
  readonly marks: Marks;
  readonly operations: readonly WireOperation[];
}
/** A push as a server first sees it: the frame is judged as a whole, each operation later and alone [C9]. */
export interface PushFrame {
  readonly device: DeviceRef;
  readonly epoch: string;
  readonly marks: Marks;
  readonly operations: readonly UnknownOperation[];
}
/** An id to be answered by, and whatever else came. */
export interface UnknownOperation {
  readonly id: string;
  readonly [member: string]: unknown;
}
interface Answer {
  readonly requestId: string;
  readonly epoch: string;
  readonly serverTime: string;
  readonly mark: string;
}
export interface PushResponse extends Answer {
  /** One per operation sent, and this device's other results since the older mark [C6]. Matched by `id` only. */
  readonly results: readonly OperationResult[];
}

export interface PullRequest {
  readonly device: DeviceRef;
  readonly epoch: string;
  readonly marks: Marks;
  readonly schemaVersion: number;
  /** Cursor per collection; `null`: from the start. */
  readonly collections: Readonly<Record<string, string | null>>;
  /** All collections together. @default 1_000 @maximum 1_000 */
  readonly limit?: number | undefined;
}
export type Change =
  | { readonly id: string; readonly version: number; readonly data: JsonObject; readonly deleted?: undefined }
  | {
      readonly id: string;
      readonly version: number;
      readonly deleted: true;
      readonly reason?: "scope" | undefined;
      readonly data?: undefined;
    };
export interface PullPage {
  readonly changes: readonly Change[];
  readonly cursor: string;
  readonly more: boolean;
  /** About how many rows follow; for a progress bar. */
  readonly remaining?: number | undefined;
}
export interface PullResponse extends Answer {
  readonly results: readonly OperationResult[];
  readonly pages: Readonly<Record<string, PullPage>>;
}

export interface TimeResponse {
  readonly serverTime: string;
}
export interface HealthResponse {
  readonly status: "ok";
  readonly protocol: readonly number[];
  readonly serverTime: string;
  readonly limits: Readonly<Record<string, number>>;
}
/** Content-free: the client pulls. A hint only [M7]. */
export interface Poke {
  readonly collections: readonly string[];
}

/** The query of both desks' lists. */
export interface DeskQuery {
  /** @default "open" */
  readonly state?: "open" | "settled" | undefined;
  /** @default 100 @maximum 200 */
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}
/** A conflict on the server's desk. */
export interface ServerConflict {
  readonly id: string;
  readonly operationId: string;
  readonly collection: string;
  readonly entityId: string;
  readonly fields: readonly string[];
  readonly client: JsonObject;
  readonly server: RowState;
  readonly device: string;
  readonly actor?: string | undefined;
  readonly detectedAt: string;
  readonly settled?:
    | {
        readonly choice: "server" | "client" | "merged";
        readonly by: string;
        readonly at: string;
        readonly note?: string | undefined;
      }
    | undefined;
}
export interface ConflictsResponse {
  readonly requestId: string;
  readonly conflicts: readonly ServerConflict[];
  readonly next?: string | undefined;
}
export interface ResolveConflictRequest {
  readonly choice: "server" | "client" | "merged";
  /** With `merged`: the fields to set on top of the server's row. */
  readonly data?: JsonObject | undefined;
  readonly note?: string | undefined;
}
/** A fact kept aside. */
export interface QuarantinedOperation {
  /** As it came: being malformed may be why it is here. */
  readonly operation: UnknownOperation;
  readonly error: Verdict;
  readonly device: string;
  readonly receivedAt: string;
  readonly discarded?: { readonly by: string; readonly at: string; readonly reason: string } | undefined;
}
export interface QuarantineResponse {
  readonly requestId: string;
  readonly quarantined: readonly QuarantinedOperation[];
  readonly next?: string | undefined;
}
export interface DiscardQuarantinedRequest {
  readonly reason: string;
}
/** What release, discard and resolve answer: the results as they now stand. */
export interface RevisedResponse {
  readonly requestId: string;
  readonly results: readonly FinalResult[];
}
