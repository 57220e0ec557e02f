/**
 * The StorageAdapter port: where a till keeps what it knows.
 *
 * The laws that an implementation must keep. `describeStorageContract` of `tillsync/testing` tests them:
 *
 * - `transact` is serialisable and all-or-nothing: its script sees a state in which no other transaction is half done,
 *   and either all of its writes are stored or none.
 * - It resolves on **commit**, not when the requests have succeeded, and rejects on abort (L1). `strict` means flushed
 *   to disk, if the platform can do that.
 * - A script is a synchronous generator. It can wait for reads of its own transaction and for nothing else. So nothing
 *   foreign can ever be awaited inside an IndexedDB transaction, which would commit half of a sale.
 * - A script that throws contributes nothing, and does not disturb others that were joined with it into one commit.
 * - A script may be run again, after a joined commit failed: it must not have side effects.
 * - Nothing hangs: every call settles, with `storage_unavailable` if the platform does not answer. After such a silence
 *   a `transact` may have been committed all the same. Its caller can find out by reading the rows that it put, if
 *   their ids are its own; it must not assume that nothing was stored.
 */
import type { Key, KeyRange } from "../../shared/keys.ts";

export type { Key, KeyRange };

/** One index of a table. */
export interface IndexLayout<V = unknown> {
  /** Its name, unique in its table. Any string. */
  readonly name: string;
  /**
   * Changes whenever `keys` would return something else for the same value; the adapter then rebuilds the index on
   * open.
   */
  readonly signature: string;
  /** The keys under which the index has the value; none if the value is not in the index. Pure. */
  keys(value: V): readonly Key[];
}

/** One table: rows by a primary key, which is a string. */
export interface TableLayout<V = unknown> {
  /** Its name, unique in its store. Any string. */
  readonly name: string;
  /** Its indexes; empty if it is only read by primary key. */
  readonly indexes: readonly IndexLayout<V>[];
}

/**
 * The tables of a store. Tables that are missing are created; tables that the layout does not name are left alone,
 * because their rows may hold unsent work of another version.
 */
export interface StorageLayout {
  /**
   * The form of the stored values. If the stored one is higher, `open` rejects with `storage_newer` and changes
   * nothing.
   */
  readonly format: number;
  /** The tables that the client uses. */
  readonly tables: readonly TableLayout[];
}

/** Which entries of an index, or of a table, to read. */
export interface ScanOptions {
  /**
   * The index whose entries are read, in its order.
   * @default the primary key
   */
  readonly index?: string | undefined;
  /**
   * Only entries whose key is in the range.
   * @default all
   */
  readonly range?: KeyRange | undefined;
  /**
   * At most this many entries.
   * @default all
   */
  readonly limit?: number | undefined;
  /**
   * `next`: ascending. `prev`: descending.
   * @default "next"
   */
  readonly direction?: "next" | "prev" | undefined;
  /**
   * Begin after this entry, in the direction of the scan: its `key` in the index, and the `primary` key of its row.
   * @default the first entry
   */
  readonly after?: { readonly key: Key; readonly primary: string } | undefined;
}

/**
 * One entry of a scan: one for each pair of index key and row. Entries are in the order of the index; those with equal
 * keys are in an order of the adapter's choice, which is always the same.
 */
export interface ScannedRow<V> {
  /** The key in the index; without an index, the primary key. */
  readonly key: Key;
  /** The primary key of the row. */
  readonly primary: string;
  /** The stored value of the row. */
  readonly value: V;
}

/** A read of a script, in one `table`. */
export type StorageRead =
  /**
   * `get`: rows by primary key. Its answer has a value for each of `keys`, in their order; `undefined` if there is
   * none.
   */
  | {
      readonly kind: "get";
      readonly table: string;
      readonly keys: readonly string[];
      /**
       * What the answer will nearly always be: `absent`, no row; `unchanged`, the rows that this connection's last
       * transaction left. If a round trip is expensive, an adapter may continue the script with that, as long as it
       * commits nothing that was decided on a wrong answer. It may ignore it.
       */
      readonly speculate?: "absent" | "unchanged" | undefined;
    }
  /** `scan`: entries of an index or of the table. Its answer is a list of `ScannedRow`. The `options` say which. */
  | { readonly kind: "scan"; readonly table: string; readonly options: ScanOptions }
  /** `count`: how many entries a scan with these `options` would have. */
  | { readonly kind: "count"; readonly table: string; readonly options: Pick<ScanOptions, "index" | "range"> };

/** A write of a script: it concerns the row of a `table` with this primary `key`. */
export type StorageWrite =
  /** `put`: stores `value`, in place of what was there. */
  | { readonly kind: "put"; readonly table: string; readonly key: string; readonly value: unknown }
  /** `delete`: removes the row. A row that does not exist is not an error. */
  | { readonly kind: "delete"; readonly table: string; readonly key: string };

/**
 * What one transaction does: yields lists of reads, is sent their answers in the same order, and returns the `value`
 * for its caller and the `writes` to store.
 */
export type StorageScript<T> = Generator<
  readonly StorageRead[],
  { readonly value: T; readonly writes: readonly StorageWrite[] },
  readonly unknown[]
>;

/** How a transaction is run. */
export interface TransactOptions {
  /** The tables that the script may read or write. It throws if it uses another one. */
  readonly tables: readonly string[];
  /**
   * `strict`: what a person was promised. It is flushed, and may use the reserve, if the adapter keeps one for when the
   * platform gives no more space. `relaxed`: what can be fetched from the server again.
   */
  readonly durability: "strict" | "relaxed";
  /**
   * Names the work in errors and logs.
   * @default none
   */
  readonly label?: string | undefined;
}

/** The space for a store, as far as the platform tells. */
export interface StorageEstimate {
  /** The platform has promised not to evict the store. */
  readonly persisted: boolean;
  /** Bytes in use; `undefined` if the platform does not say. */
  readonly usedBytes: number | undefined;
  /** Bytes that may be used; `undefined` if the platform does not say. */
  readonly quotaBytes: number | undefined;
  /**
   * The platform has refused to store more, and there is still no room. The client then does not fetch what it can
   * fetch later.
   */
  readonly full?: boolean | undefined;
}

/** Hints from the adapter; the client turns them into typed events. */
export interface StorageHooks {
  /** The connection was lost and could not be re-established, or the platform closed it for good. */
  onFailure(error: unknown): void;
  /** Another connection wants a newer layout, or deletes the database: this one has been closed. */
  onSuperseded(): void;
  /**
   * The store was deleted while it was open: site data was cleared, or the platform evicted it. `onFailure` is called
   * after it.
   */
  onDeleted?(): void;
}

/**
 * A few bytes that are kept apart from the store, and survive its loss. From them a till notices that its store was
 * deleted, or put back to an older state. Best effort: a marker that can't be read or written counts as missing.
 */
export interface StorageMarker {
  /** What was written for this store; `undefined` if there is nothing. */
  read(name: string): string | undefined;
  /** Replaces what was written for this store. It may reach the disk later. */
  write(name: string, text: string): void;
}

/**
 * An open store. Values are structured-cloneable plain data; the caller never mutates what `get` and `scan` return.
 * Every call can reject with `storage_unavailable`, `storage_corrupt` or `client_closed`, and `transact` also with
 * `storage_full`.
 */
export interface StorageConnection {
  /** The values of rows by primary key, in the order of `keys`; `undefined` if there is no row. */
  get<V>(table: string, keys: readonly string[]): Promise<readonly (V | undefined)[]>;
  /** Entries of an index, or of the table. */
  scan<V>(table: string, options: ScanOptions): Promise<readonly ScannedRow<V>[]>;
  /** How many entries a scan would have. */
  count(table: string, options: Pick<ScanOptions, "index" | "range">): Promise<number>;
  /**
   * Runs a script in one transaction, and resolves with its `value` when it is committed. Rejects with what it threw.
   */
  transact<T>(options: TransactOptions, script: () => StorageScript<T>): Promise<T>;
  /** How much space there is now. */
  estimate(): Promise<StorageEstimate>;
  /** Waits for what was begun. Afterwards every call rejects with `client_closed`. */
  close(): Promise<void>;
  /** Closes and deletes the store. */
  destroy(): Promise<void>;
}

/** A place for stores: IndexedDB, memory, or another platform's database. */
export interface StorageAdapter {
  /** Its name in errors: `indexeddb`, `memory`. */
  readonly kind: string;
  /** Marks the object as an implementation of this port. */
  readonly "~port": "storage";
  /** Two clients whose adapter and `name` give the same scope share a store, and take turns with the server. */
  scope(name: string): string;
  /** The marker, if the platform has a place for it. */
  readonly marker?: StorageMarker | undefined;
  /**
   * Opens a store, and creates or changes its tables to fit the layout.
   * @throws TillSyncError `storage_unavailable`, `storage_newer`, `storage_corrupt`
   */
  open(name: string, layout: StorageLayout, hooks: StorageHooks): Promise<StorageConnection>;
}

/** A typed `get` inside a script: `const [row] = yield* get<Row>("meta", ["queue"])`. */
export function* get<V>(
  table: string,
  keys: readonly string[],
): Generator<readonly StorageRead[], readonly (V | undefined)[], readonly unknown[]> {
  if (keys.length === 0) return [];
  const [answer] = yield [{ kind: "get", table, keys }];
  return answer as readonly (V | undefined)[];
}

/** A typed `scan` inside a script. */
export function* scan<V>(
  table: string,
  options: ScanOptions,
): Generator<readonly StorageRead[], readonly ScannedRow<V>[], readonly unknown[]> {
  const [answer] = yield [{ kind: "scan", table, options }];
  return answer as readonly ScannedRow<V>[];
}

/** Several reads in one step: the adapter runs them together. Their answers are in the same order. */
export function* readAll(
  reads: readonly StorageRead[],
): Generator<readonly StorageRead[], readonly unknown[], readonly unknown[]> {
  return reads.length === 0 ? [] : yield reads;
}
