/**
 * The ServerStore port: what the server remembers.
 *
 * The laws an implementation must keep, held by `serverStoreContract` of `tillsync/server/testing`:
 *
 * - `transact` runs its script while it holds the **tenant's clock row**, taken by a statement of its own before anything is read:
 *   transactions of one tenant are serial, and each sees everything that was committed before it (concurrent resends of one batch
 *   find each other's stored results). Tenants do not wait for each other where the engine allows it.
 * - All writes of a script are committed together or not at all; it resolves on commit, flushed to disk (L2: the dedup row,
 *   the effect and the stored result are one transaction).
 * - Positions become visible in commit order: no snapshot ever shows position n without everything of that tenant below n (L4).
 * - `read` gives one consistent snapshot over all reads of its script, and waits for no writer.
 * - What fails because of the database and not because of what is written, is rejected with a `TillSyncError` `storage_…`: whoever waits is
 *   told at once, and nothing is tried operation by operation.
 * - A script may be run again (serialisation failures are retried here, not by the caller): it has no effects of its own.
 * - The tenant leads every key and every index; no read or write can name another tenant's row (L9).
 * - Reads and writes are set-based: one statement per table (or a bounded number of chunks) however many keys are asked for.
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

/** The scopes a reader may see: "" is the whole tenant's. `"all"`: every branch. */
export type ScopeFilter = "all" | readonly string[];

/** A change in the feed: the record as it now is, or that it left the reader's scope. */
export type FeedEntry =
  | { readonly kind: "record"; readonly row: FeedRow }
  | { readonly kind: "departure"; readonly row: DepartureRow };

export interface FeedPage {
  readonly entries: readonly FeedEntry[];
  /** The page ended for its limit or its bytes: behind its last entry there may be more. */
  readonly more: boolean;
}

/** What can be asked for, and the type of its answer. Answers hold only what exists, in no particular order unless said. */
export interface StoreReads {
  clock: { readonly request: { readonly kind: "clock" }; readonly answer: TenantClock | undefined };
  records: {
    readonly request: { readonly kind: "records"; readonly keys: readonly RecordKey[] };
    readonly answer: readonly RecordRow[];
  };
  operations: {
    readonly request: { readonly kind: "operations"; readonly ids: readonly string[] };
    readonly answer: readonly OperationRow[];
  };
  /** Which operations took these sequence numbers. */
  sequences: {
    readonly request: {
      readonly kind: "sequences";
      readonly incarnation: string;
      readonly sequences: readonly number[];
    };
    readonly answer: readonly { readonly sequence: number; readonly id: string }[];
  };
  /** Every operation of a wire transaction. */
  members: {
    readonly request: { readonly kind: "members"; readonly transaction: string };
    readonly answer: readonly OperationRow[];
  };
  commits: {
    readonly request: { readonly kind: "commits"; readonly ids: readonly string[] };
    readonly answer: readonly CommitRow[];
  };
  epochs: { readonly request: { readonly kind: "epochs" }; readonly answer: readonly EpochRow[] };
  devices: {
    readonly request: { readonly kind: "devices"; readonly ids: readonly string[] };
    readonly answer: readonly DeviceRow[];
  };
  incarnations: {
    readonly request: { readonly kind: "incarnations"; readonly device: string };
    readonly answer: readonly IncarnationRow[];
  };
  /**
   * Versions in (after, upTo], ascending by version: stubs are left out, deleted rows are in it. Departures only for the scopes asked for.
   *
   * The page ends with the record whose documents bring it to `bytes`, as they are stored: no reader, whatever was written, makes the
   * store hand over more than that and one record (L12). One entry comes in any case.
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
  /** How many of those there are (for a progress bar; may stop counting at 1,000,000). */
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
   * This device's results with feedPosition in (after, …], ascending by feedPosition; with `incarnation`: only that one's. What was sent
   * is not read for them (L12): the rows have no `operation`.
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
  /** Those that {@link isOpenQuarantine}, ascending by position, behind `after`. */
  quarantined: {
    readonly request: { readonly kind: "quarantined"; readonly after: number; readonly limit: number };
    readonly answer: readonly OperationRow[];
  };
  conflicts: {
    readonly request: { readonly kind: "conflicts"; readonly ids: readonly string[] };
    readonly answer: readonly ConflictRow[];
  };
  conflictsOf: {
    readonly request: { readonly kind: "conflictsOf"; readonly operationIds: readonly string[] };
    readonly answer: readonly ConflictRow[];
  };
  conflictList: {
    readonly request: {
      readonly kind: "conflictList";
      readonly state: "open" | "settled";
      readonly after: number;
      readonly limit: number;
    };
    readonly answer: readonly ConflictRow[];
  };
  discrepancies: {
    readonly request: { readonly kind: "discrepancies"; readonly after: number; readonly limit: number };
    readonly answer: readonly DiscrepancyRow[];
  };
}

export type StoreReadKind = keyof StoreReads;
export type StoreRead = StoreReads[StoreReadKind]["request"];

/** Rows to store, whole, replacing those of the same key. */
export interface StoreWrites {
  readonly clock?: TenantClock | undefined;
  readonly epochs?: readonly EpochRow[] | undefined;
  readonly records?: readonly RecordRow[] | undefined;
  readonly departures?: readonly DepartureRow[] | undefined;
  /** Departures to take back. */
  readonly returns?: readonly (RecordKey & { readonly scope: string })[] | undefined;
  readonly operations?: readonly OperationRow[] | undefined;
  readonly commits?: readonly CommitRow[] | undefined;
  readonly devices?: readonly DeviceRow[] | undefined;
  readonly incarnations?: readonly IncarnationRow[] | undefined;
  readonly conflicts?: readonly ConflictRow[] | undefined;
  readonly discrepancies?: readonly DiscrepancyRow[] | undefined;
}

/** Yields lists of reads, is sent their answers in the same order, returns what to write. Synchronous: see the client's StorageScript. */
export type StoreScript<T> = Generator<
  readonly StoreRead[],
  { readonly value: T; readonly writes: StoreWrites },
  readonly unknown[]
>;
export type StoreReadScript<T> = Generator<readonly StoreRead[], T, readonly unknown[]>;

export interface ServerStore {
  readonly kind: string;
  readonly "~port": "server-store";
  transact<T>(tenant: string, script: () => StoreScript<T>): Promise<T>;
  read<T>(tenant: string, script: () => StoreReadScript<T>): Promise<T>;
  /** A random key of this database, made with it: cursors, marks and epochs are authenticated with it. */
  secret(): Promise<string>;
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
