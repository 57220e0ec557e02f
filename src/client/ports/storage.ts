/**
 * The StorageAdapter port: where a till keeps what it knows.
 *
 * The laws an implementation must keep, held by `describeStorageContract` of `tillsync/testing`:
 *
 * - `transact` is serialisable and all-or-nothing: its script sees a state in which no other transaction is half done, and
 *   either all of its writes are stored or none.
 * - It resolves on **commit**, not when the requests have succeeded, and rejects on abort (L1). `strict` means: flushed,
 *   where the platform can.
 * - A script is a synchronous generator. It can wait for reads of its own transaction and for nothing else, so that nothing
 *   foreign can ever be awaited inside an IndexedDB transaction (which would commit half of a sale).
 * - A script that throws contributes nothing, and does not disturb others that were joined with it into one commit.
 * - A script may be run again (after a joined commit failed): it must not have effects of its own.
 * - Nothing hangs: every call settles, with `storage_unavailable` if the platform does not answer. After such silence a `transact` may
 *   have been committed all the same: whoever writes under ids of his own can look, and nobody may assume that it was not.
 */
import type { Key, KeyRange } from "../../shared/keys.ts";

export type { Key, KeyRange };

/** One index over a table: `keys` is pure, and gives no key for a value that is not in the index. */
export interface IndexLayout<V = unknown> {
  readonly name: string;
  /** Changes whenever `keys` would answer differently for the same value; then the adapter builds the index anew when it opens. */
  readonly signature: string;
  keys(value: V): readonly Key[];
}

export interface TableLayout<V = unknown> {
  readonly name: string;
  readonly indexes: readonly IndexLayout<V>[];
}

/** Tables that are missing are made, tables that are not named are left alone: their rows may hold unsent work of another version. */
export interface StorageLayout {
  /** The form of the stored values. A higher stored one than this is refused with `storage_newer`: rows are left untouched. */
  readonly format: number;
  readonly tables: readonly TableLayout[];
}

export interface ScanOptions {
  /** @default the primary key */
  readonly index?: string | undefined;
  readonly range?: KeyRange | undefined;
  /** @default all */
  readonly limit?: number | undefined;
  /** @default "next": ascending */
  readonly direction?: "next" | "prev" | undefined;
  /** Begin behind this entry (exclusive), in the direction of the scan. */
  readonly after?: { readonly key: Key; readonly primary: string } | undefined;
}

/** In the order of the index; entries of equal index key in a stable order of the adapter's. One per (index key, row). */
export interface ScannedRow<V> {
  readonly key: Key;
  readonly primary: string;
  readonly value: V;
}

export type StorageRead =
  | {
      readonly kind: "get";
      readonly table: string;
      readonly keys: readonly string[];
      /**
       * What the answer will nearly always be: no row, or the rows that this connection's last transaction left. An adapter for which a
       * round trip is dear may run the script on with that, as long as it commits nothing that was decided on a wrong one.
       */
      readonly speculate?: "absent" | "unchanged" | undefined;
    }
  | { readonly kind: "scan"; readonly table: string; readonly options: ScanOptions }
  | { readonly kind: "count"; readonly table: string; readonly options: Pick<ScanOptions, "index" | "range"> };

export type StorageWrite =
  | { readonly kind: "put"; readonly table: string; readonly key: string; readonly value: unknown }
  | { readonly kind: "delete"; readonly table: string; readonly key: string };

/** Yields lists of reads, is sent their answers in the same order, returns what to write. */
export type StorageScript<T> = Generator<
  readonly StorageRead[],
  { readonly value: T; readonly writes: readonly StorageWrite[] },
  readonly unknown[]
>;

export interface TransactOptions {
  /** The tables that the script may read or write. Using another one throws. */
  readonly tables: readonly string[];
  /** `strict`: what a person was promised. `relaxed`: what can be had from the server again. */
  /** `strict` also draws on the reserve, where the adapter keeps one for when the platform gives no more space. */
  readonly durability: "strict" | "relaxed";
  /** Names the work in errors and logs. */
  readonly label?: string | undefined;
}

export interface StorageEstimate {
  /** The platform has promised not to evict. */
  readonly persisted: boolean;
  readonly usedBytes: number | undefined;
  readonly quotaBytes: number | undefined;
  /** The platform has refused to store more, and there is still no room: what can be had again later is not fetched now. */
  readonly full?: boolean | undefined;
}

/** Hints from the adapter; the client turns them into typed events. */
export interface StorageHooks {
  /** The connection was lost and could not be had again, or the platform closed it for good. */
  onFailure(error: unknown): void;
  /** Another connection wants a newer layout, or deletes the database: this one has been closed. */
  onSuperseded(): void;
  /** The store was deleted while it was open: site data was cleared, or the platform evicted it. `onFailure` follows. */
  onDeleted?(): void;
}

/**
 * A few bytes that are kept apart from the store, so that they are still there when it is not: how a till notices that its store was
 * deleted, or put back to an older state. Best effort: what can't be read or written is as if it were not there.
 */
export interface StorageMarker {
  read(name: string): string | undefined;
  write(name: string, text: string): void;
}

/** An open store. Values are structured-cloneable plain data; what `get` and `scan` give back is never mutated by the caller. */
export interface StorageConnection {
  get<V>(table: string, keys: readonly string[]): Promise<readonly (V | undefined)[]>;
  scan<V>(table: string, options: ScanOptions): Promise<readonly ScannedRow<V>[]>;
  count(table: string, options: Pick<ScanOptions, "index" | "range">): Promise<number>;
  transact<T>(options: TransactOptions, script: () => StorageScript<T>): Promise<T>;
  estimate(): Promise<StorageEstimate>;
  /** Waits for what was begun. Afterwards every call rejects with `client_closed`. */
  close(): Promise<void>;
  /** Closes and deletes the store. */
  destroy(): Promise<void>;
}

export interface StorageAdapter {
  readonly kind: string;
  readonly "~port": "storage";
  /** Two clients whose adapter and `name` give the same value share a store, and take turns with the server. */
  scope(name: string): string;
  /** Absent: the platform has no such place. */
  readonly marker?: StorageMarker | undefined;
  /** @throws TillSyncError `storage_unavailable`, `storage_newer`, `storage_corrupt` */
  open(name: string, layout: StorageLayout, hooks: StorageHooks): Promise<StorageConnection>;
}

/** Reads inside a script, typed: `const [row] = yield* get<Row>("meta", ["queue"])`. */
export function* get<V>(
  table: string,
  keys: readonly string[],
): Generator<readonly StorageRead[], readonly (V | undefined)[], readonly unknown[]> {
  if (keys.length === 0) return [];
  const [answer] = yield [{ kind: "get", table, keys }];
  return answer as readonly (V | undefined)[];
}

export function* scan<V>(
  table: string,
  options: ScanOptions,
): Generator<readonly StorageRead[], readonly ScannedRow<V>[], readonly unknown[]> {
  const [answer] = yield [{ kind: "scan", table, options }];
  return answer as readonly ScannedRow<V>[];
}

/** Several reads in one step: they are asked for together. */
export function* readAll(
  reads: readonly StorageRead[],
): Generator<readonly StorageRead[], readonly unknown[], readonly unknown[]> {
  return reads.length === 0 ? [] : yield reads;
}
