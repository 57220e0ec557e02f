/** The rows of the table `meta`: who this store is, the counts of its queue, where it stands with the server. */
import { subjectOf } from "./operation.ts";

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

export function generationOf(point: SyncPoint, collection: string): number {
  return point.generations[collection] ?? 1;
}

/** The sync point in which these collections are pulled again from the start. */
export function nextGenerations(point: SyncPoint, collections: readonly string[]): SyncPoint {
  const next = Object.fromEntries(collections.map((name) => [name, generationOf(point, name) + 1]));
  return { ...point, generations: { ...point.generations, ...next } };
}
