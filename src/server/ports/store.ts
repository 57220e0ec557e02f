/**
 * The ServerStore port: what the server remembers.
 *
 * The laws that an implementation must keep, tested by `serverStoreContract` of `tillsync/server/testing`:
 *
 * - `transact` runs its script while it holds the **tenant's clock row**, locked by a statement of its own before
 *   anything is read. Transactions of one tenant are serial, and each sees everything that was committed before it:
 *   concurrent resends of one batch find each other's stored results. Tenants do not wait for each other if the
 *   engine allows it.
 * - All writes of a script are committed together or not at all. `transact` resolves after the commit is flushed to
 *   disk (L2: the dedup row, the effect and the stored result are one transaction).
 * - Positions become visible in commit order: no snapshot ever shows position n without everything of that tenant
 *   below n (L4).
 * - `read` gives one consistent snapshot over all reads of its script, and waits for no writer.
 * - What fails because of the database, and not because of what is written, rejects with a `TillSyncError`
 *   `storage_…`: every waiting caller is rejected at once, and nothing is retried operation by operation.
 * - A script may run again (the store itself retries serialisation failures): it has no side effects.
 * - The tenant is the first part of every key and every index; no read or write can name another tenant's row (L9).
 * - Reads and writes are set-based: one statement per table (or a bounded number of chunks), however many keys are
 *   asked for.
 */

import type {
  CommitRow,
  ConflictRow,
  DepartureRow,
  DeviceRow,
  DiscrepancyRow,
  EpochRow,
  FeedRow,
  IncarnationRow,
  OperationRow,
  RecordKey,
  RecordRow,
  ResultRow,
  TenantClock,
} from "./rows.ts";

/** The scopes that a reader may see: branches, and "" for rows of the whole tenant. `"all"`: every scope. */
export type ScopeFilter = "all" | readonly string[];

/** A change in the feed. */
export type FeedEntry =
  | {
      /** The record as it now is, live or deleted. */
      readonly kind: "record";
      /** What a page shows of it. */
      readonly row: FeedRow;
    }
  | {
      /** A record has left the reader's scopes. */
      readonly kind: "departure";
      /** Which record, and which scope it left. */
      readonly row: DepartureRow;
    };

/** A page of the change feed. */
export interface FeedPage {
  /** Ascending by version. */
  readonly entries: readonly FeedEntry[];
  /** The page ended because of its limit or its bytes: after its last entry there may be more. */
  readonly more: boolean;
}

/**
 * What can be asked for: the `request`, and the type of its `answer`. Answers hold only rows that exist; a repeated key
 * counts once. Rows are in no particular order unless it is said.
 *
 * In requests: `after` is a position, exclusive (0: from the start); `upTo` is a position, inclusive; `limit` is the
 * largest number of rows, from 1.
 */
export interface StoreReads {
  /** The tenant's clock row. `undefined`: the tenant has no epoch yet. */
  clock: { readonly request: { readonly kind: "clock" }; readonly answer: TenantClock | undefined };
  /** Records by their keys; deleted rows and stubs too. */
  records: {
    readonly request: { readonly kind: "records"; readonly keys: readonly RecordKey[] };
    readonly answer: readonly RecordRow[];
  };
  /** Operations by their ids. */
  operations: {
    readonly request: { readonly kind: "operations"; readonly ids: readonly string[] };
    readonly answer: readonly OperationRow[];
  };
  /** Which operations took these `sequences` of an `incarnation`. */
  sequences: {
    readonly request: {
      readonly kind: "sequences";
      readonly incarnation: string;
      readonly sequences: readonly number[];
    };
    readonly answer: readonly { readonly sequence: number; readonly id: string }[];
  };
  /** The first `limit` operations that a `device` sent under the name of a wire transaction, by position. */
  members: {
    readonly request: {
      readonly kind: "members";
      /** The transaction's id, as its operations have it. */
      readonly transaction: string;
      /** Another device's transaction of the same name is another one. */
      readonly device: string;
      /** An integer from 1. */
      readonly limit: number;
    };
    readonly answer: readonly OperationRow[];
  };
  /** Commits by their ids. */
  commits: {
    readonly request: { readonly kind: "commits"; readonly ids: readonly string[] };
    readonly answer: readonly CommitRow[];
  };
  /** All epochs of the tenant. */
  epochs: { readonly request: { readonly kind: "epochs" }; readonly answer: readonly EpochRow[] };
  /** Devices by their ids. */
  devices: {
    readonly request: { readonly kind: "devices"; readonly ids: readonly string[] };
    readonly answer: readonly DeviceRow[];
  };
  /**
   * The `limit` incarnations of a device with the highest numbers, and the one that is named. `limit` may be 0: a device
   * may have any number of incarnations, and no request looks at all of them (L12).
   */
  incarnations: {
    readonly request: {
      readonly kind: "incarnations";
      /** The device's id. */
      readonly device: string;
      /** The id of one incarnation, which is in the answer however old it is. `undefined`: none. */
      readonly incarnation?: string | undefined;
      readonly limit: number;
    };
    readonly answer: readonly IncarnationRow[];
  };
  /**
   * The change feed of a `collection`: records with a version in (after, upTo], ascending by version, deleted ones
   * included and stubs left out; and departures from the `scopes` that are named. With `"all"` there are no
   * departures.
   *
   * The page ends with the record whose stored documents bring it to `bytes`: no reader, whatever was written, makes
   * the store return more than that and one record (L12). If there is an entry at all, the page has at least one.
   */
  changes: {
    readonly request: {
      readonly kind: "changes";
      readonly collection: string;
      readonly scopes: ScopeFilter;
      readonly after: number;
      readonly upTo: number;
      readonly limit: number;
      readonly bytes: number;
    };
    readonly answer: FeedPage;
  };
  /**
   * How many entries `changes` has for a `collection` and `scopes` in (after, upTo], for a progress bar. It may stop
   * counting at 1,000,000.
   */
  countChanges: {
    readonly request: {
      readonly kind: "countChanges";
      readonly collection: string;
      readonly scopes: ScopeFilter;
      readonly after: number;
      readonly upTo: number;
    };
    readonly answer: number;
  };
  /**
   * The results of a `device` with a feedPosition above `after`, ascending by feedPosition; with `incarnation`: only
   * that incarnation's. What was sent is not read for them (L12): the rows have no `operation`.
   */
  results: {
    readonly request: {
      readonly kind: "results";
      readonly device: string;
      readonly incarnation?: string | undefined;
      readonly after: number;
      readonly limit: number;
    };
    readonly answer: readonly ResultRow[];
  };
  /**
   * The quarantined operations that still wait for a person (neither released, nor superseded, nor discarded, which the
   * code `discarded` in the result shows), ascending by position, above `after`.
   */
  quarantined: {
    readonly request: { readonly kind: "quarantined"; readonly after: number; readonly limit: number };
    readonly answer: readonly OperationRow[];
  };
  /** How many operations of a `device` wait in quarantine for a person, and the bytes of what was sent in them. */
  held: {
    readonly request: { readonly kind: "held"; readonly device: string };
    readonly answer: { readonly operations: number; readonly bytes: number };
  };
  /** Conflicts by their ids. */
  conflicts: {
    readonly request: { readonly kind: "conflicts"; readonly ids: readonly string[] };
    readonly answer: readonly ConflictRow[];
  };
  /** All conflicts of these operations. */
  conflictsOf: {
    readonly request: { readonly kind: "conflictsOf"; readonly operationIds: readonly string[] };
    readonly answer: readonly ConflictRow[];
  };
  /** The conflicts in a `state`, ascending by position, above `after`. */
  conflictList: {
    readonly request: {
      readonly kind: "conflictList";
      readonly state: "open" | "settled";
      readonly after: number;
      readonly limit: number;
    };
    readonly answer: readonly ConflictRow[];
  };
  /** Discrepancies, ascending by position, above `after`. */
  discrepancies: {
    readonly request: { readonly kind: "discrepancies"; readonly after: number; readonly limit: number };
    readonly answer: readonly DiscrepancyRow[];
  };
}

/** The name of a read. */
export type StoreReadKind = keyof StoreReads;

/** Any read's request. `kind` says which one it is. */
export type StoreRead = StoreReads[StoreReadKind]["request"];

/** Rows to store. Each replaces the row with the same key, as a whole. Absent and empty lists write nothing. */
export interface StoreWrites {
  /** The tenant's clock row. */
  readonly clock?: TenantClock | undefined;
  /** Key: epoch. */
  readonly epochs?: readonly EpochRow[] | undefined;
  /** Key: (collection, id). */
  readonly records?: readonly RecordRow[] | undefined;
  /** Key: (collection, id, scope). */
  readonly departures?: readonly DepartureRow[] | undefined;
  /** Departures to remove, because the row has returned. One that does not exist is ignored. */
  readonly returns?: readonly (RecordKey & { readonly scope: string })[] | undefined;
  /** Key: id. A second id with the same (incarnation, sequence) makes the whole transaction fail. */
  readonly operations?: readonly OperationRow[] | undefined;
  /** Key: id. */
  readonly commits?: readonly CommitRow[] | undefined;
  /** Key: id. */
  readonly devices?: readonly DeviceRow[] | undefined;
  /** Key: (device, incarnation). */
  readonly incarnations?: readonly IncarnationRow[] | undefined;
  /** Key: id. */
  readonly conflicts?: readonly ConflictRow[] | undefined;
  /** Key: id. */
  readonly discrepancies?: readonly DiscrepancyRow[] | undefined;
}

/**
 * A script of a transaction. It yields lists of reads, receives their answers in the same order, and returns its
 * `value` and the `writes` to commit. It is synchronous, for the reasons given at the client's StorageScript.
 */
export type StoreScript<T> = Generator<
  readonly StoreRead[],
  { readonly value: T; readonly writes: StoreWrites },
  readonly unknown[]
>;

/**
 * A script that only reads. It yields lists of reads, receives their answers in the same order, and returns its
 * value.
 */
export type StoreReadScript<T> = Generator<readonly StoreRead[], T, readonly unknown[]>;

/** The port. Its laws are at the top of this file; `serverStoreContract` of `tillsync/server/testing` tests them. */
export interface ServerStore {
  /** The name of the implementation, for people: `sqlite`, `postgres`, `memory`. */
  readonly kind: string;
  readonly "~port": "server-store";
  /**
   * Runs the script as the tenant's only writer and commits its writes. Resolves with its value once they are on disk.
   * @throws what the script throws, with nothing stored; TillSyncError `storage_…` if the database fails: the
   * transaction may then be stored only if the connection was lost during its commit
   */
  transact<T>(tenant: string, script: () => StoreScript<T>): Promise<T>;
  /**
   * Runs the script over one snapshot of the tenant's rows. Resolves with its value.
   * @throws what the script throws; TillSyncError `storage_…` if the database fails
   */
  read<T>(tenant: string, script: () => StoreReadScript<T>): Promise<T>;
  /**
   * A random key of this database, created with it: 32 characters or more. Cursors, marks and epochs are authenticated
   * with it.
   * @throws TillSyncError `storage_…` if the database fails
   */
  secret(): Promise<string>;
  /** Waits for the calls under way and closes the database. Calls after it reject; closing again does nothing. */
  close(): Promise<void>;
}

type ReadOf<K extends StoreReadKind> = StoreReads[K]["request"];

/** Reads inside a script, typed: `const rows = yield* ask({ kind: "records", keys })`. */
export function* ask<K extends StoreReadKind>(
  request: ReadOf<K> & { readonly kind: K },
): Generator<readonly StoreRead[], StoreReads[K]["answer"], readonly unknown[]> {
  const [answer] = yield [request];
  return answer as StoreReads[K]["answer"];
}

type Answers<R extends readonly StoreRead[]> = {
  [I in keyof R]: R[I] extends { readonly kind: infer K extends StoreReadKind } ? StoreReads[K]["answer"] : never;
};

/** Several reads in one step: `const [clock, rows] = yield* askAll([{ kind: "clock" }, { kind: "records", keys }])`. */
export function* askAll<const R extends readonly StoreRead[]>(
  requests: R,
): Generator<readonly StoreRead[], Answers<R>, readonly unknown[]> {
  const answers = yield requests;
  return answers as unknown as Answers<R>;
}
