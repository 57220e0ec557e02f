/** The rows of the table `meta`: the identity of the store, the counts of its queue, and how far it has synced. */
import { subjectOf } from "./operation.ts";

/** The row `identity`. */
export interface Identity {
  /** The app's own id of the device, or a random one. A fork keeps it. */
  readonly deviceId: string;
  /** Names this life of the store. A fork replaces it [C7]. */
  readonly incarnation: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** The first sequence number that this incarnation gives out [M6]. Absent in a store of an earlier version. */
  readonly firstSequence?: number | undefined;
  /** The device's number from the server; absent until this incarnation has been registered. */
  readonly number?: number | undefined;
  /** The tenant of the store; set by the first registration. */
  readonly tenant?: string | undefined;
  /** The branch of the registered token; absent if the token was not bound to one. */
  readonly branch?: string | undefined;
  /**
   * `true`: the server has registered this incarnation. `false`: the store has forked since. Absent: the store is new.
   */
  readonly registered?: boolean | undefined;
}

/** The row `queue`, which each local write reads and writes. */
export interface QueueState {
  /** The last sequence number that was given out. */
  readonly sequence: number;
  /** The number of pending and blocked operations, by collection. */
  readonly waiting: Readonly<Partial<Record<string, number>>>;
  /**
   * The number of open edits of records, and of blocked sales and increments. While it is 0, nothing that must be sent
   * first can lie outside of the lanes, so selecting a batch does not search for it.
   */
  readonly edits: number;
  /** How many operations are in conflict. */
  readonly conflicts: number;
  /** How many operations are rejected. */
  readonly rejected: number;
  /** Without those that the office has discarded. */
  readonly quarantined: number;
  /** Raised by every final result: operations that were blocked in an earlier round can be sent again [H2]. */
  readonly unblockRound: number;
  /** When the oldest waiting operation was made, in epoch ms. Absent while none waits. */
  readonly oldestAt?: number | undefined;
}

/** The row `sync`, which each drain transaction checks and writes. */
export interface SyncPoint {
  /** The fencing token of the client that may store answers; each new holder of the turn raises it. */
  readonly fence: number;
  /** The server's epoch that this store follows; absent before the first registration. */
  readonly epoch?: string | undefined;
  /** The marks of the last push answer and of the last pull answer [C8.2]. */
  readonly marks: { readonly push?: string | undefined; readonly pull?: string | undefined };
  /**
   * The number of each collection's current resync; 1 if absent. Any row from an answer replaces a base of a lower
   * generation.
   */
  readonly generations: Readonly<Record<string, number>>;
  /** Server time, epoch ms. */
  readonly lastPushAt?: number | undefined;
  /** Server time, epoch ms. */
  readonly lastPullAt?: number | undefined;
  /** The server's clock minus the till's in ms, as it was known with the last answer. */
  readonly offsetMs?: number | undefined;
}

/** The row `cursor:<collection>`: how far a collection has been pulled. */
export interface CursorState {
  /** The server's opaque cursor; `null`: pull from the start. */
  readonly cursor: string | null;
  readonly generation: number;
  /** Whether the collection has been pulled to its end in this generation. */
  readonly complete: boolean;
  /** Whether it has ever been pulled to its end. */
  readonly everComplete: boolean;
  /** How many rows were received in this generation. */
  readonly received: number;
  /** How many rows the server expects to send still; absent if it did not say, or if the last page has arrived. */
  readonly remaining?: number | undefined;
  /**
   * Rows of older generations are being removed, in the order of their keys; those up to this key have been checked
   * (`""`: none yet). Absent: nothing is left to remove.
   */
  readonly sweep?: string | undefined;
  /** Why the collection waits for an update of the app or of the server: see `status.waiting`. Absent: it does not. */
  readonly waits?: string | undefined;
}

export const IDENTITY = "identity";
export const QUEUE = "queue";
export const SYNC = "sync";
export const LEASE = "lease";
/** The row `schemas`: the schema version of each collection in the app that last opened the store. */
export const SCHEMAS = "schemas";
export type Schemas = Readonly<Partial<Record<string, number>>>;
export const cursorKey = (collection: string) => `cursor:${collection}`;

/** The row `orphan:<subject>`: a row whose operations changed state while the app did not have its collection. */
export interface Orphan {
  readonly collection: string;
  readonly entityId: string;
}
const ORPHAN = "orphan:";
export const orphanKey = (collection: string, id: string) => ORPHAN + subjectOf(collection, id);
/** A range of primary keys: `;` is the character after `:`. */
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

/** The generation that a base of this collection must have to be current. */
export function generationOf(point: SyncPoint, collection: string): number {
  return point.generations[collection] ?? 1;
}

/** The sync point after which these collections are pulled again from the start. */
export function nextGenerations(point: SyncPoint, collections: readonly string[]): SyncPoint {
  const next = Object.fromEntries(collections.map((name) => [name, generationOf(point, name) + 1]));
  return { ...point, generations: { ...point.generations, ...next } };
}
