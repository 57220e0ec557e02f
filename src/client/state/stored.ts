/** What a till keeps, table by table: the shapes of the stored values. */
import type { CounterValue, Flag, Verdict } from "../../protocol/types.ts";
import type { JsonObject } from "../../shared/json.ts";

/** Raised when a stored shape changes so that older code could not read it. */
export const STORAGE_FORMAT = 1;

export const OPERATIONS = "operations";
export const CONFLICTS = "conflicts";
export const META = "meta";
/** The table of a collection. The prefix keeps an app's `operations` collection apart from the queue. */
export const tableOf = (collection: string) => `c:${collection}`;
/** What an operation is about, as one string: ids and collection names have no `/`. */
export const subjectOf = (collection: string, id: string) => `${collection}/${id}`;

/**
 * One (collection, id). View = the server's base + this device's open operations, replayed (L8).
 *
 * A row that nothing is open on has only `data`, `version`, `generation` and `rev`. A row that is deleted has no `data`; it is
 * kept, because an older answer that arrives late must not bring the row back (its version would not be greater).
 */
export interface StoredRow {
  readonly id: string;
  /** The view. `undefined`: not there, deleted here or on the server, or not yet created. */
  readonly data?: JsonObject | undefined;
  /** The base's version; 0: the server has not said anything of this row. */
  readonly version: number;
  /** The resync that brought the base; 0 for none. */
  readonly generation: number;
  /** Counts local changes of any kind: a transaction's check that what it read is still so. */
  readonly rev: number;
  /** The server's copy, present while operations are open; `null`: the server has none. Otherwise the view is the base. */
  readonly base?: JsonObject | null | undefined;
  /** What the base was before the server deleted it under an open edit: keeping the edit means creating it again. */
  readonly deletedBase?: JsonObject | undefined;
  /** The sum of the open increments: they commute, so a hot product needs no replay of its thousand pending sales (L12). */
  readonly delta?: Readonly<Record<string, CounterValue>> | undefined;
  /** How many operations are replayed over the base. */
  readonly edits?: number | undefined;
  /** How many operations on the row are in which unfinished state. */
  readonly states?: Readonly<Partial<Record<UnfinishedState, number>>> | undefined;
  readonly flags?: readonly Flag[] | undefined;
  readonly changedHereAt?: number | undefined;
  readonly conflictId?: string | undefined;
}

/** Open: in the view, its effect not yet in any base. */
export type OpenState = "pending" | "blocked" | "conflict";
export type UnfinishedState = OpenState | "rejected" | "quarantined";
export type OperationState =
  | UnfinishedState
  /** The server has it. */
  | "applied"
  /** Replaced by an operation of this device. */
  | "superseded"
  /** Replaced or given up by somebody else: the back office, a clone. */
  | "closed_elsewhere";

/** One entry of the outbox, or of the journal once its result is final. The payload never changes after it was minted. */
export interface StoredOperation {
  readonly id: string;
  readonly sequence: number;
  /** Its place in the replay: its own sequence number, or that of the operation it supersedes [C3]. */
  readonly rank: number;
  readonly lane: Lane;
  readonly collection: string;
  readonly entityId: string;
  readonly kind: "record" | "fact";
  readonly action: "create" | "update" | "increment" | "delete" | "void";
  readonly data?: JsonObject | undefined;
  readonly patch?: JsonObject | undefined;
  readonly unset?: readonly string[] | undefined;
  readonly by?: Readonly<Record<string, CounterValue>> | undefined;
  readonly baseVersion?: number | undefined;
  readonly force?: boolean | undefined;
  /** The patched fields before the patch, for people and resolvers. Stays here. */
  readonly before?: JsonObject | undefined;
  /** A create's counters at zero, in the schema's own form (0 or "0"). Stays here. */
  readonly zeros?: Readonly<Record<string, CounterValue>> | undefined;
  /** The local transaction. */
  readonly transaction?: string | undefined;
  /** The wire transaction: commercial or editorial, never both [C1]. */
  readonly group?: string | undefined;
  readonly supersedes?: readonly string[] | undefined;
  readonly supersededBy?: string | undefined;
  /** Why a person gave it up. Stays here. */
  readonly note?: string | undefined;
  readonly schemaVersion: number;
  readonly branch?: string | undefined;
  readonly actor?: string | undefined;
  /** Epoch ms, corrected. */
  readonly occurredAt: number;
  /** What it references: their pending creates go first. */
  readonly references?: readonly string[] | undefined;
  /** Of the JSON that is sent, about. */
  readonly bytes: number;

  readonly state: OperationState;
  /** Answers of the server to it; a transport failure is none. */
  readonly attempts: number;
  readonly blockedBy?: readonly string[] | undefined;
  readonly missing?: boolean | undefined;
  /** The wake count at which it was blocked: any later one sends it again [H2]. */
  readonly blockedInRound?: number | undefined;
  readonly error?: Verdict | undefined;
  readonly conflictId?: string | undefined;
  readonly flags?: readonly Flag[] | undefined;
  readonly revision?: number | undefined;
  /** Of the result. */
  readonly version?: number | undefined;
  readonly assigned?: JsonObject | undefined;
  /** Server time of the result, epoch ms: the journal is pruned by it. */
  readonly resultAt?: number | undefined;
  /** The epoch whose result it has. */
  readonly epoch?: string | undefined;
  /** To be sent again in a new epoch, before anything new [C8.6]. */
  readonly resend?: boolean | undefined;
  /** What the lost history had answered [C8.5]. */
  readonly acknowledged?:
    | { readonly epoch: string; readonly version: number; readonly assigned?: JsonObject | undefined }
    | undefined;
  /** The generation of bases that do not have what the lost history had acknowledged; those before it do [C8.6]. Stays here. */
  readonly missingSince?: number | undefined;
}

/** 0 high, 1 normal, 2 low. */
export type Lane = 0 | 1 | 2;

export interface StoredConflict {
  readonly id: string;
  readonly operationId: string;
  readonly collection: string;
  readonly entityId: string;
  readonly base?: JsonObject | undefined;
  readonly client?: JsonObject | undefined;
  readonly server?: JsonObject | undefined;
  readonly fields: readonly string[];
  readonly detectedAt: number;
  readonly sequence: number;
  readonly actor?: string | undefined;
  readonly settled?:
    | {
        readonly by: "resolver" | "person" | "server";
        readonly at: number;
        readonly kept: "client" | "server" | "merged";
        readonly note?: string | undefined;
      }
    | undefined;
}

/** meta/identity */
export interface Identity {
  readonly deviceId: string;
  readonly incarnation: string;
  readonly createdAt: number;
  readonly number?: number | undefined;
  /** Whose shop the store is, from the first contact on. */
  readonly tenant?: string | undefined;
  readonly branch?: string | undefined;
  /** `false`: after a fork. Absent: a store that is new. */
  readonly registered?: boolean | undefined;
}

/** meta/queue: what each local write reads and writes. */
export interface QueueState {
  readonly sequence: number;
  /** Pending and blocked operations, by collection. */
  readonly waiting: Readonly<Partial<Record<string, number>>>;
  /** Open edits of records: while there are none, sending needs no look at what goes first. */
  readonly edits: number;
  readonly conflicts: number;
  readonly rejected: number;
  readonly quarantined: number;
  /** Any final result raises it [H2]. */
  readonly unblockRound: number;
  readonly oldestAt?: number | undefined;
}

/** meta/sync: what each drain transaction checks and writes. */
export interface SyncPoint {
  /** The fencing epoch of whoever may drain. */
  readonly fence: number;
  readonly epoch?: string | undefined;
  readonly marks: { readonly push?: string | undefined; readonly pull?: string | undefined };
  /** Per collection, the running number of its resyncs: bases of lower generations give way to any answer. Absent: 1. */
  readonly generations: Readonly<Record<string, number>>;
  readonly lastPushAt?: number | undefined;
  readonly lastPullAt?: number | undefined;
}

/** meta/cursor:<collection> */
export interface CursorState {
  readonly cursor: string | null;
  readonly generation: number;
  /** Pulled to its end in this generation. */
  readonly complete: boolean;
  /** Pulled to its end once, ever. */
  readonly everComplete: boolean;
  readonly received: number;
  readonly remaining?: number | undefined;
  /** Rows of older generations are being removed behind this key; absent: nothing to sweep. */
  readonly sweep?: string | undefined;
}

export const IDENTITY = "identity";
export const QUEUE = "queue";
export const SYNC = "sync";
export const LEASE = "lease";
export const cursorKey = (collection: string) => `cursor:${collection}`;

/** meta/orphan:<subject>: a row whose operations went on while the app did not have its collection. */
export interface Orphan {
  readonly collection: string;
  readonly entityId: string;
}
const ORPHAN = "orphan:";
export const orphanKey = (collection: string, id: string) => ORPHAN + subjectOf(collection, id);
/** Of the primary key; `;` is the character behind `:`. */
export const orphanRange = { lower: ORPHAN, upper: "orphan;", upperOpen: true } as const;

export const EMPTY_QUEUE: QueueState = {
  sequence: 0,
  waiting: {},
  edits: 0,
  conflicts: 0,
  rejected: 0,
  quarantined: 0,
  unblockRound: 0,
};
export const FIRST_SYNC_POINT: SyncPoint = { fence: 0, marks: {}, generations: {} };
export const FIRST_CURSOR: CursorState = {
  cursor: null,
  generation: 1,
  complete: false,
  everComplete: false,
  received: 0,
};

export function isOpen(operation: Pick<StoredOperation, "state">): boolean {
  return operation.state === "pending" || operation.state === "blocked" || operation.state === "conflict";
}
/**
 * Whether the operation is replayed into its row's view (increments are summed instead). A fact stays in the view also while it is
 * set aside: its receipt is printed, and a sale never vanishes from the till that made it (L11).
 */
export function isReplayed(operation: Pick<StoredOperation, "state" | "action" | "kind">): boolean {
  if (operation.action === "increment" || operation.action === "void") return false;
  if (isOpen(operation)) return true;
  return operation.kind === "fact" && (operation.state === "quarantined" || operation.state === "rejected");
}
/** Whether the server may still say something new of it in this epoch. */
export function isWaiting(operation: Pick<StoredOperation, "state">): boolean {
  return operation.state === "pending" || operation.state === "blocked";
}
export function isCommercial(operation: Pick<StoredOperation, "kind" | "action">): boolean {
  return operation.kind === "fact" || operation.action === "increment";
}

export function generationOf(point: SyncPoint, collection: string): number {
  return point.generations[collection] ?? 1;
}

/** The sync point in which these collections are pulled again from the start. */
export function nextGenerations(point: SyncPoint, collections: readonly string[]): SyncPoint {
  const next = Object.fromEntries(collections.map((name) => [name, generationOf(point, name) + 1]));
  return { ...point, generations: { ...point.generations, ...next } };
}
