/**
 * The messages of the wire, as types. docs/protocol.md describes them.
 * The schema of each is in the file that parses it; `test/protocol/types.test.ts` compares the two.
 */

import type { CounterValue } from "../shared/counter-step.ts";
import type { JsonObject } from "../shared/json.ts";

interface OperationHead {
  /** A UUID in lower case; version 7 is recommended. One id has at most one effect, ever (L2). */
  readonly id: string;
  /** Counts up from 1 in one incarnation of the local store; never reused, never renumbered [C7]. */
  readonly sequence: number;
  /** The collection of the row. */
  readonly collection: string;
  /** The id of the row. The client chooses it; a server never does. */
  readonly entityId: string;
  /** Binds operations that take effect together; never split over two pushes [C1]. */
  readonly transaction?: string | undefined;
  /**
   * Ids of the sender's open operations that must take effect first, computed when sending [C2]. At most 250.
   * Not part of the payload.
   */
  readonly after?: readonly string[] | undefined;
  /** The ids of all operations that this one replaces, directly or through another, oldest first [C3]. At most 250. */
  readonly supersedes?: readonly string[] | undefined;
  /** The schema version of this operation's data, which may be older than the app that sends it [H7]. From 1. */
  readonly schemaVersion: number;
  /** The branch in which the operation was made: a claim, never a grant [C10]. */
  readonly branch?: string | undefined;
  /** Who made it, as the app names people: 1 to 128 characters. */
  readonly actor?: string | undefined;
  /** When it was made, by the client's clock: RFC 3339 in UTC. For people: nothing is ever ordered by it (L7). */
  readonly occurredAt: string;
  /** Only after a restore: what the lost history had answered [C8]. Not part of the payload. */
  readonly acknowledged?: Acknowledged | undefined;
}

/** The `applied` result that an operation had in a history of the server that a restore has lost [C8.5]. */
export interface Acknowledged {
  /** The epoch in which it was applied; opaque. */
  readonly epoch: string;
  /** The `version` of that result. */
  readonly version: number;
  /** The `assigned` of that result. */
  readonly assigned?: JsonObject | undefined;
  /** The schema version of `assigned`. @default the operation's */
  readonly schemaVersion?: number | undefined;
  /** The `receipt` of that result. Without it the server judges the operation as new. */
  readonly receipt?: string | undefined;
}

/** Creates a row. */
export interface CreateOperation extends OperationHead {
  readonly action: "create";
  /** The fields of the row, without `id` and without counters. */
  readonly data: JsonObject;
}
/** Changes fields of a row. */
export interface UpdateOperation extends OperationHead {
  readonly action: "update";
  /** The version of the row that the author saw. Never raised after the operation was made [C5]. */
  readonly baseVersion: number;
  /** The top-level fields to set; `null` is a value [M10]. */
  readonly patch: JsonObject;
  /** Names of the fields to remove. None of them may be in `patch`. */
  readonly unset?: readonly string[] | undefined;
  /** Overwrites whatever the row holds, if the policy allows it; flagged `forced`. */
  readonly force?: boolean | undefined;
}
/** Moves counters of a row. Steps commute, so it is never in conflict [H4]. */
export interface IncrementOperation extends OperationHead {
  readonly action: "increment";
  /** The steps by counter name, at least one. */
  readonly by: Readonly<Record<string, CounterValue>>;
}
/** Deletes a row. */
export interface DeleteOperation extends OperationHead {
  readonly action: "delete";
  /** The version of the row that the author saw. Never raised after the operation was made [C5]. */
  readonly baseVersion: number;
  /** Deletes the row whatever it holds, if the policy allows it; flagged `forced`. */
  readonly force?: boolean | undefined;
}
/** Supersedes other operations, and does nothing else. */
export interface VoidOperation extends OperationHead {
  readonly action: "void";
  /** As in every operation, but at least one. */
  readonly supersedes: readonly string[];
}

/** One change, as a client sends it. It never changes once it is stored. */
export type WireOperation = CreateOperation | UpdateOperation | IncrementOperation | DeleteOperation | VoidOperation;
/** What an operation does. */
export type Action = WireOperation["action"];

/**
 * A row in a result or on a desk. `version` is the tenant's change position at which the row last changed.
 * `data` has the fields, including counters and server-assigned fields, without `id`.
 */
export type RowState =
  /** The row exists. */
  | (RowHead & { readonly data: JsonObject; readonly deleted?: undefined })
  /** The row is deleted, or, with `version` 0, may not be shown to this device. */
  | (RowHead & { readonly deleted: true; readonly data?: undefined });

interface RowHead {
  readonly version: number;
  /**
   * The schema version of the row, as the server has it [H7].
   * @default in a result the operation's, on a desk 1
   */
  readonly schemaVersion?: number | undefined;
}

/** What people should see about an operation that was applied. */
export interface Flag {
  /** One of the protocol's `OperationFlagCode` codes, or a policy's own. */
  readonly code: string;
  /** For people. */
  readonly message?: string | undefined;
  /** With `stock_discrepancy`: the discrepancy that the server has recorded. */
  readonly discrepancyId?: string | undefined;
}

/** One finding in a value that was refused. */
export interface VerdictIssue {
  /** The members that lead to the value, joined by dots: `items.0.price`. Empty for the value as a whole. */
  readonly path: string;
  /** What is wrong there, for people. */
  readonly message: string;
}
/** Why an operation was rejected, quarantined or put off. */
export interface Verdict {
  /** One of the protocol's `OperationErrorCode` codes, or a policy's own. */
  readonly code: string;
  /** For people. */
  readonly message: string;
  /** What is wrong where; absent if the verdict is not about single values. */
  readonly issues?: readonly VerdictIssue[] | undefined;
}

interface ResultHead {
  /** The operation's id: the only thing that results are matched by. */
  readonly id: string;
  /** `true`: the stored result of an earlier delivery. */
  readonly replayed?: boolean | undefined;
  /** How often a release, a discard or a resolution has changed the result since; absent for never [H3]. */
  readonly revision?: number | undefined;
  /** When the result was committed or last revised, by the server's clock: epoch ms. */
  readonly at?: number | undefined;
}
/** The operation has taken effect. Final. */
export interface AppliedResult extends ResultHead {
  readonly status: "applied";
  /**
   * The version of the row after the operation: a change position of the tenant.
   * 0 for a `void`, and for a delete of a row that never existed.
   */
  readonly version: number;
  /**
   * The row as the operation left it. May be absent if the client can tell it by itself: the row is then what the
   * operation made of the row at `baseVersion`, or of none [C4]. If it is absent for another reason, the result says
   * `omitted`.
   */
  readonly data?: JsonObject | undefined;
  /**
   * `true`: the row is left out, because copies of rows would make the answer too long, or because the server has kept
   * no copy of it. The client does not tell it by itself: it comes with another result, or with the next pull.
   */
  readonly omitted?: boolean | undefined;
  /** The schema version of `data` and `assigned` [H7]. @default the operation's */
  readonly schemaVersion?: number | undefined;
  /** `true`: the operation deleted the row, or found it deleted. */
  readonly deleted?: boolean | undefined;
  /** The fields that the server filled in. */
  readonly assigned?: JsonObject | undefined;
  /**
   * Proves to the server after a restore that it has given this result, in the epoch of this answer. Opaque: 1 to 128
   * of `A-Za-z0-9_.-`. Only in answers to pushes and pulls.
   */
  readonly receipt?: string | undefined;
  /** What people should see about it. */
  readonly flags?: readonly Flag[] | undefined;
}
/** Another device changed what the operation changes; it has no effect until the conflict is settled. Final. */
export interface ConflictResult extends ResultHead {
  readonly status: "conflict";
  /** The conflict on the server's desk. */
  readonly conflictId: string;
  /** The fields in conflict. */
  readonly fields: readonly string[];
  /** The row as the server has it. */
  readonly server: RowState;
}
/** The operation has no effect, and sending it again will not change that. Final. */
export interface RejectedResult extends ResultHead {
  readonly status: "rejected";
  /** Why. */
  readonly error: Verdict;
  /** With `already_applied`, `already_superseded` and `superseded`: the operation that stands. */
  readonly by?: string | undefined;
  /** The row as it is, if the device may see it. */
  readonly server?: RowState | undefined;
}
/** The operation is kept aside, without effect, for people to release or discard. Final. */
export interface QuarantinedResult extends ResultHead {
  readonly status: "quarantined";
  /** Why. */
  readonly error: Verdict;
}
/** Stored in the transaction of its effect, and returned again whenever the operation is sent again. */
export type FinalResult = AppliedResult | ConflictResult | RejectedResult | QuarantinedResult;

/** The operation must wait for others. Not final, not stored, costs no attempt. */
export interface BlockedResult extends ResultHead {
  readonly status: "blocked";
  /** The operations that it waits for. */
  readonly by: readonly string[];
  /** `true`: a restore has lost the row, and another client may still bring it back [C8.6]. */
  readonly missing?: boolean | undefined;
}
/** The server can't judge the operation now. Not final, not stored, costs no attempt. */
export interface RetryResult extends ResultHead {
  readonly status: "retry";
  /**
   * After how many ms to send it again. A hint: tillsync's client sends it again after the next final result,
   * or after `BLOCKED_RETRY_MS`.
   */
  readonly afterMs?: number | undefined;
  /** Why. */
  readonly error: Verdict;
}
/** What has become of one operation. */
export type OperationResult = FinalResult | BlockedResult | RetryResult;

/** Which store of which device speaks. */
export interface DeviceRef {
  /** The device, as the token names it. */
  readonly id: string;
  /** A UUID that is minted with the local store: the same device has another one once its data was cleared. */
  readonly incarnation: string;
}
/**
 * The last mark that came with an answer to a push, and the last one that came with an answer to a pull; never one for
 * both [C8]. The server detects a restore by them, and knows from the older one which results the client lacks [C6].
 */
export interface Marks {
  /** From the last answer to a push; opaque. */
  readonly push?: string | undefined;
  /** From the last answer to a pull; opaque. */
  readonly pull?: string | undefined;
}

/** `POST /sync/register`, the first call of a session. Idempotent. */
export interface RegisterRequest {
  /**
   * The device, and what people know it by: a `name`, its operating system `os`, and the app's version `appVersion`,
   * each of 1 to 128 characters.
   */
  readonly device: DeviceRef & {
    readonly name?: string | undefined;
    readonly os?: string | undefined;
    readonly appVersion?: string | undefined;
  };
  /** The highest schema version of the app's collections. From 1. */
  readonly schemaVersion: number;
  /**
   * The first sequence number that this incarnation gives out itself: 1 in a new store, and after a fork the number that
   * follows those of the former incarnation. Numbers from here on that never arrive are missing [M6].
   * @default the lowest number of the first push that brings any
   */
  readonly firstSequence?: number | undefined;
  /** The epoch of the client's store; absent at the first contact. */
  readonly epoch?: string | undefined;
  /** The client's marks; absent at the first contact. */
  readonly marks?: Marks | undefined;
}
/** Who the client is to this server. */
export interface RegisterResponse {
  /** The request id that the call was made with. */
  readonly requestId: string;
  /** The tenant of the token. A store belongs to the tenant of its first contact. */
  readonly tenant: string;
  /** The branch of the token; absent if it is bound to none. */
  readonly branch?: string | undefined;
  /** The device `id`, and since when the server knows it, `registeredAt`: RFC 3339. */
  readonly device: {
    readonly id: string;
    readonly registeredAt: string;
    /**
     * A prefix for document numbers, from 1. No other incarnation of the tenant has it: two clones of a store must not
     * print the same numbers [C7].
     */
    readonly number: number;
  };
  /** The server's epoch; opaque. */
  readonly epoch: string;
  /** At the first contact: where the results of this store begin. The store keeps it as both of its marks. */
  readonly mark?: string | undefined;
  /**
   * The highest sequence that the server knows of this incarnation; 0 for none.
   * It shows a store that was rolled back, and decides nothing else.
   */
  readonly lastSequence: number;
  /**
   * The device's other incarnations that have sent something [M11]: the `incarnation`, the highest sequence that the
   * server knows of it, `lastSequence`, and how many sequence numbers up to that never arrived, `missing`.
   */
  readonly unsynced: readonly {
    readonly incarnation: string;
    readonly lastSequence: number;
    readonly missing: number;
  }[];
  /** The server's clock: RFC 3339. */
  readonly serverTime: string;
}

/** `POST /sync/push`. */
export interface PushRequest {
  /** Who speaks. */
  readonly device: DeviceRef;
  /** The epoch of the client's store; opaque. */
  readonly epoch: string;
  /** The client's marks. Without them the answer brings its results from the beginning. */
  readonly marks?: Marks | undefined;
  /** At most 500, no id twice; no transaction may be split over two pushes [C1]. */
  readonly operations: readonly WireOperation[];
  /**
   * How many bytes of results the answer may hold in addition to those of the operations; at least one result.
   * @default 2_097_152
   * @minimum 1
   */
  readonly limitBytes?: number | undefined;
}
/** A push as a server first reads it: the frame is judged as a whole, each operation later and on its own [C9]. */
export interface PushFrame {
  /** Who speaks. */
  readonly device: DeviceRef;
  /** The epoch of the client's store; opaque. */
  readonly epoch: string;
  /** The client's marks. Without them the answer brings its results from the beginning. */
  readonly marks?: Marks | undefined;
  /** At most 500, no id twice. */
  readonly operations: readonly UnknownOperation[];
  /** How many bytes of results the answer may hold in addition to those of the operations. */
  readonly limitBytes?: number | undefined;
}
/** An operation that has not been parsed: an id by which to answer it, and whatever else was sent. */
export interface UnknownOperation {
  /** A UUID in lower case. */
  readonly id: string;
  /** Not checked. */
  readonly [member: string]: unknown;
}
interface Answer {
  /** The request id that the call was made with. */
  readonly requestId: string;
  /** The server's epoch; opaque. */
  readonly epoch: string;
  /** The server's clock: RFC 3339. */
  readonly serverTime: string;
  /** The tenant's position at the snapshot of this answer; opaque. The client keeps it in its {@link Marks}. */
  readonly mark: string;
}
/** The answer to a push. */
export interface PushResponse extends Answer {
  /** One for each operation sent, and the device's other results since the older mark [C6]. Matched by `id` only. */
  readonly results: readonly OperationResult[];
  /**
   * The device has further results, which did not fit into this answer. A row in it may contain their effects, so the
   * client does not take it as its base [C6].
   */
  readonly moreResults?: boolean | undefined;
}

/** `POST /sync/pull`. */
export interface PullRequest {
  /** Who speaks. */
  readonly device: DeviceRef;
  /** The epoch of the client's store; opaque. */
  readonly epoch: string;
  /** The client's marks. Without them the answer brings its results from the beginning. */
  readonly marks?: Marks | undefined;
  /** The highest schema version of the app's collections. From 1. */
  readonly schemaVersion: number;
  /** The cursor of each collection to pull; `null` pulls from the start. */
  readonly collections: Readonly<Record<string, string | null>>;
  /**
   * The app's schema version of each collection. Of a collection in which the server is ahead it sends no rows, because
   * the app could not read them: it is in `waiting` [H7].
   */
  readonly schemaVersions?: Readonly<Record<string, number>> | undefined;
  /**
   * How many changes the answer may hold, of all collections together.
   * @default 1_000
   * @minimum 1
   * @maximum 1_000
   */
  readonly limit?: number | undefined;
  /**
   * How many bytes of changes the answer may hold, and how many of results; at least one of each.
   * @default 2_097_152
   * @minimum 1
   */
  readonly limitBytes?: number | undefined;
}
/**
 * A row that has changed since the cursor.
 * `id` is the row's; `version` is the tenant's change position at which it last changed.
 */
export type Change =
  /**
   * The row exists: `data` has its fields, including counters and server-assigned fields, without `id`.
   * `schemaVersion`: of `data`, if it is not the page's.
   */
  | {
      readonly id: string;
      readonly version: number;
      readonly data: JsonObject;
      readonly schemaVersion?: number | undefined;
      readonly deleted?: undefined;
    }
  /** The row was deleted; with `reason: "scope"` it still exists, and has left what this device may see. */
  | {
      readonly id: string;
      readonly version: number;
      readonly deleted: true;
      readonly reason?: "scope" | undefined;
      readonly data?: undefined;
      readonly schemaVersion?: undefined;
    };
/** The changes of one collection. */
export interface PullPage {
  /** In the order in which their transactions were committed. A row that changed twice may be here once. */
  readonly changes: readonly Change[];
  /** Where the next pull goes on; opaque. It moves even if no change is visible to this device. */
  readonly cursor: string;
  /** Whether another page is there now. */
  readonly more: boolean;
  /** About how many rows follow; for a progress bar. */
  readonly remaining?: number | undefined;
  /** The schema version of the rows [H7]. @default the version that the request names for the collection */
  readonly schemaVersion?: number | undefined;
}
/**
 * Why an answer has no page of a collection. `unknown_collection`: the server has no such collection. `schema_older`:
 * the app's schema version of it is older than the server's.
 */
export type WaitingCode = "unknown_collection" | "schema_older";
/** The answer to a pull. The client applies all of it in one local transaction. */
export interface PullResponse extends Answer {
  /** The device's results since the older mark, from the same snapshot as the rows [C6]. */
  readonly results: readonly OperationResult[];
  /** As in a {@link PushResponse}: the client takes no row of these results as its base. */
  readonly moreResults?: boolean | undefined;
  /** One for each collection asked for that is not in `waiting`, by its name. */
  readonly pages: Readonly<Record<string, PullPage>>;
  /** The collections asked for that the server can't send now: a {@link WaitingCode} for each. Absent for none. */
  readonly waiting?: Readonly<Record<string, WaitingCode | (string & {})>> | undefined;
}

/** `GET /sync/time`. */
export interface TimeResponse {
  /** The server's clock: RFC 3339. */
  readonly serverTime: string;
}
/** `GET /sync/health`. */
export interface HealthResponse {
  readonly status: "ok";
  /** The versions of the protocol that the server speaks. */
  readonly protocol: readonly number[];
  /** The server's clock: RFC 3339. */
  readonly serverTime: string;
  /** The server's limits, by the names in `LIMITS`. None is lower than there [M1]. */
  readonly limits: Readonly<Record<string, number>>;
}
/** A message of `GET /sync/live`. It carries no rows, the client pulls them. A hint only: it may be lost [M7]. */
export interface Poke {
  /** The collections that have something new, at most 1,000. */
  readonly collections: readonly string[];
}

/** The query of `GET /sync/conflicts` and `GET /sync/quarantine`. */
export interface DeskQuery {
  /**
   * Which entries to list. The quarantine lists open ones only.
   * @default "open"
   */
  readonly state?: "open" | "settled" | undefined;
  /**
   * How many entries the page may hold.
   * @default 100
   * @minimum 1
   * @maximum 200
   */
  readonly limit?: number | undefined;
  /** The `next` of the page before; absent for the first page. */
  readonly after?: string | undefined;
}
/** A conflict on the server's desk. */
export interface ServerConflict {
  /** The conflict's id, for `POST /sync/conflicts/{id}/resolve`. */
  readonly id: string;
  /** The operation in conflict. */
  readonly operationId: string;
  /** The collection of the row. */
  readonly collection: string;
  /** The id of the row. */
  readonly entityId: string;
  /** The fields in conflict. */
  readonly fields: readonly string[];
  /**
   * What the operation wanted: the `patch` of an update, the `data` of a create, nothing of a delete. In the schema
   * version of `server`.
   */
  readonly client: JsonObject;
  /** The row as it was when the conflict was found. */
  readonly server: RowState;
  /** The row as it is now, in an open conflict whose row was written since. */
  readonly current?: RowState | undefined;
  /** The device that sent the operation. */
  readonly device: string;
  /** The `actor` of the operation. */
  readonly actor?: string | undefined;
  /** When the conflict was found, by the server's clock: RFC 3339. */
  readonly detectedAt: string;
  /**
   * Absent while the conflict is open. `choice`: the side that was kept, or `merged` for a record of both.
   * `by`: who settled it, as the token or the operation names them; `policy` if a policy did.
   * `at`: RFC 3339. `note`: as it was given.
   */
  readonly settled?:
    | {
        readonly choice: "server" | "client" | "merged";
        readonly by: string;
        readonly at: string;
        readonly note?: string | undefined;
      }
    | undefined;
}
/** The answer of `GET /sync/conflicts`: one page. */
export interface ConflictsResponse {
  /** The request id that the call was made with. */
  readonly requestId: string;
  /** Oldest first. */
  readonly conflicts: readonly ServerConflict[];
  /** The `after` of the next page; absent on the last one. Opaque. */
  readonly next?: string | undefined;
}
/** `POST /sync/conflicts/{id}/resolve`. */
export interface ResolveConflictRequest {
  /** The side to keep, or `merged` for `data`. */
  readonly choice: "server" | "client" | "merged";
  /** The fields to set on top of the server's row. Required with `merged`, refused otherwise. */
  readonly data?: JsonObject | undefined;
  /**
   * The version of the row that the person saw: of `current` in the list, or of `server` if there was no `current`.
   * If anybody has written a field of the row since, nothing is resolved (`conflict_moved`).
   * @default the version of `server` with `client` and `merged`; with `server` nothing is compared
   */
  readonly version?: number | undefined;
  /** Kept with who and when: 1 to 1,000 characters. */
  readonly note?: string | undefined;
}
/** An operation that the server keeps aside, without effect, for people to release or discard. */
export interface QuarantinedOperation {
  /**
   * As it was sent: being malformed may be why it is here. Of one that is larger than an operation may be, the server
   * keeps the first 256 KiB of its text, as `raw`.
   */
  readonly operation: UnknownOperation;
  /** Why it is here. */
  readonly error: Verdict;
  /** The device that sent it. */
  readonly device: string;
  /** When it arrived, by the server's clock: RFC 3339. */
  readonly receivedAt: string;
  /** Who discarded it, when (RFC 3339) and why. tillsync's server lists what is open, and never sends it. */
  readonly discarded?: { readonly by: string; readonly at: string; readonly reason: string } | undefined;
}
/** The answer of `GET /sync/quarantine`: one page. */
export interface QuarantineResponse {
  /** The request id that the call was made with. */
  readonly requestId: string;
  /** What is kept aside and still open. */
  readonly quarantined: readonly QuarantinedOperation[];
  /** The `after` of the next page; absent on the last one. Opaque. */
  readonly next?: string | undefined;
}
/** `POST /sync/quarantine/{operation id}/discard`. */
export interface DiscardQuarantinedRequest {
  /** Why, for people: 1 to 1,000 characters. */
  readonly reason: string;
}
/** The answer to a release, a discard or a resolution. */
export interface RevisedResponse {
  /** The request id that the call was made with. */
  readonly requestId: string;
  /** The results that were revised, as they are now. */
  readonly results: readonly FinalResult[];
}
