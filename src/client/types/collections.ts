/** Collections, transactions and queries, as an app sees them. */
import type { CollectionMap, CollectionShape, CreateInput, Increments, Patch } from "../../schema/types.ts";
import type { AnyTillSyncError } from "../../shared/errors.ts";
import type { RecordMeta, Settlement } from "./record.ts";
import type { IdIn, Live, ShapeOf, Unsubscribe } from "./shape.ts";

// ── Collections ──

/** The collections of a client by name. */
export type Collections<C extends CollectionMap> = { readonly [N in keyof C]: CollectionFor<ShapeOf<C, N>> };
/** A collection with the methods that its definition allows: facts are never edited; only counters are incremented. */
export type CollectionFor<H extends CollectionShape> = H["kind"] extends "fact"
  ? FactCollection<H>
  : [H["counters"]] extends [never]
    ? RecordCollection<H>
    : CountedCollection<H>;

/**
 * Reading a collection. Every method reads the local store, offline or not; records are frozen. A read can reject with
 * the codes of `start`, and one with a wrong query with `invalid_query`.
 */
export interface ReadableCollection<H extends CollectionShape> {
  /** Its name among `collections`. */
  readonly name: string;
  /** One record; `undefined` if it does not exist on this device. */
  get(id: IdIn<H>): Promise<H["record"] | undefined>;
  /** Records by id, in the order of `ids`; `undefined` in place of each that does not exist. */
  getMany(ids: readonly IdIn<H>[]): Promise<readonly (H["record"] | undefined)[]>;
  /**
   * The records that a query describes, in the order of its index; by id if it names none.
   * @throws TillSyncError `invalid_query`
   * @example
   * const drinks = await till.collections.products.find({ index: "category", equals: "drinks", limit: 50 });
   */
  find(query?: Query<H>, options?: ReadOptions): Promise<readonly H["record"][]>;
  /** The first record that `find` would return; `undefined` if there is none. */
  first(query: Query<H>, options?: ReadOptions): Promise<H["record"] | undefined>;
  /** How many records `find` would return. */
  count(query?: Query<H>): Promise<number>;
  /**
   * The records one by one, without holding all of them in memory. They are read in chunks, each as the store is at
   * that moment.
   */
  iterate(query?: Query<H>, options?: ReadOptions): AsyncIterable<H["record"]>;
  /**
   * Calls the listener immediately, then whenever a record of the result, or its sync state, changes.
   * @throws TillSyncError `invalid_query`
   */
  watch(query: LiveQuery<H>, listener: (snapshot: QuerySnapshot<H["record"]>) => void): Unsubscribe;
  /**
   * The same as an object, for the bindings of a framework. It does nothing until it has a subscriber.
   * @throws TillSyncError `invalid_query`
   * @example
   * const drinks = till.collections.products.live({ index: "category", equals: "drinks", limit: 50 });
   * const stop = drinks.subscribe(({ rows, loading }) => {
   *   if (!loading) console.log(rows.map(({ name }) => name));
   * });
   */
  live(query: LiveQuery<H>): Live<QuerySnapshot<H["record"]>>;
  /** The sync state of a record; `undefined` if this device has neither the record nor work on it. */
  meta(id: IdIn<H>): Promise<RecordMeta | undefined>;
  /**
   * Resolves when nothing on the record waits for the server any more, with how it ended; immediately if nothing waits.
   * It takes the id, not a handle, so it works after a reload. What the server decided is a result, not an error: it
   * rejects only when `signal` aborts, on `close()`, or if the store cannot be read.
   * @example
   * const end = await till.collections.sales.settled(saleId, { signal: AbortSignal.timeout(10_000) });
   * if (end.state === "applied") console.log(end.record.orderNumber);
   */
  settled(id: IdIn<H>, options?: { signal?: AbortSignal | undefined }): Promise<Settlement<H>>;
}

/** A collection of facts: they are created, and never changed. */
export interface FactCollection<H extends CollectionShape> extends ReadableCollection<H> {
  /**
   * Creates a record. Without an `id` it gets a UUID v7. Resolves with it when it and its operation are on disk.
   * @throws TillSyncError `validation_failed`, `already_exists`, `not_json`, `schema_async`, `transaction_too_large`,
   * `invalid_option` (the actor), `storage_full`, and the codes of `start`
   * @example
   * const cake = await till.collections.products.create({ name: "Cake", priceCents: 420, stock: 12 });
   * console.log(cake.id);
   */
  create(data: CreateInput<H>, options?: WriteOptions): Promise<H["record"]>;
  /**
   * Creates many records, for an import. All of them are checked before the first is stored. They are stored in groups
   * of 250, and sent in any number of batches. It is not a transaction: if a group fails, the groups before it stay.
   * @throws TillSyncError the codes of `create`
   */
  createMany(data: readonly CreateInput<H>[], options?: WriteOptions): Promise<readonly H["record"][]>;
}

/** A collection of records that can be edited. */
export interface RecordCollection<H extends CollectionShape> extends FactCollection<H> {
  /**
   * Changes the named fields only; `undefined` removes one. Resolves with the record when the change is on disk. Fields
   * that already have the value are not sent.
   * @throws TillSyncError `not_found`, `validation_failed`, `not_json`, `schema_async`, `transaction_too_large`,
   * `invalid_option` (the actor), `storage_full`, and the codes of `start`
   * @example
   * await till.collections.products.update(productId, { priceCents: 450, note: undefined });
   */
  update(id: IdIn<H>, patch: Patch<H>, options?: WriteOptions): Promise<H["record"]>;
  /**
   * Deletes a record: no read returns it any more. A record that does not exist is not an error.
   * @throws TillSyncError `invalid_option` (the actor), `storage_full`, and the codes of `start`
   */
  delete(id: IdIn<H>, options?: WriteOptions): Promise<void>;
  /**
   * The patch from one state of a record to another, for `update`: what the user changed in a form, and nothing that
   * others changed meanwhile. Fields that `after` lacks, counters and fields that only the server fills in are left
   * out.
   */
  changes(before: H["record"], after: Partial<H["record"]>): Patch<H>;
}

/** A collection of records that have counters. */
export interface CountedCollection<H extends CollectionShape> extends RecordCollection<H> {
  /**
   * Adds to counters. Increments of several devices add up, and are never in conflict. Resolves with the record when
   * the step is on disk.
   * @throws TillSyncError `not_found`, `validation_failed`, `invalid_option` (the actor), `storage_full`, and the codes
   * of `start`
   * @example
   * await till.collections.products.increment(productId, { stock: -1 });
   */
  increment(id: IdIn<H>, by: Increments<H>, options?: WriteOptions): Promise<H["record"]>;
}

/** Options of every write. */
export interface WriteOptions {
  /**
   * The person who writes: 1 to 128 characters; `""` for no one.
   * @default what the client's option `actor` returns
   */
  actor?: string | undefined;
}

/** Options of a read. */
export interface ReadOptions {
  /**
   * Rejects with the signal's reason when it aborts.
   * @default none
   */
  signal?: AbortSignal | undefined;
}

// ── Transactions: reads are awaited, writes are not ──

/** The collections by name, inside a transaction. */
export type TransactionCollections<C extends CollectionMap> = {
  readonly [N in keyof C]: TransactionCollectionFor<ShapeOf<C, N>>;
};
/** A collection inside a transaction, with the methods that its definition allows. */
export type TransactionCollectionFor<H extends CollectionShape> = H["kind"] extends "fact"
  ? TransactionFacts<H>
  : [H["counters"]] extends [never]
    ? TransactionRecords<H>
    : TransactionCounted<H>;

/**
 * A collection inside a transaction. Reads include the transaction's own writes. After the transaction's function has
 * ended, every method fails with `transaction_finished`.
 */
export interface TransactionFacts<H extends CollectionShape> {
  /** One record; `undefined` if it does not exist. */
  get(id: IdIn<H>): Promise<H["record"] | undefined>;
  /** Records by id, in the order of `ids`; `undefined` in place of each that does not exist. */
  getMany(ids: readonly IdIn<H>[]): Promise<readonly (H["record"] | undefined)[]>;
  /** The records that a query describes, in the order of its index. Rejects with `invalid_query`. */
  find(query: Query<H>): Promise<readonly H["record"][]>;
  /** The first record that `find` would return; `undefined` if there is none. */
  first(query: Query<H>): Promise<H["record"] | undefined>;
  /**
   * Creates a record, and returns it immediately, with its `id`. That the id is new is checked at the end: the
   * transaction then rejects with `already_exists`.
   * @throws TillSyncError `validation_failed`, `not_json`, `schema_async`
   */
  create(data: CreateInput<H>): H["record"];
}

/**
 * A collection of records that can be edited, inside a transaction. What is wrong with an edit rejects the transaction.
 */
export interface TransactionRecords<H extends CollectionShape> extends TransactionFacts<H> {
  /** Changes the named fields only; `undefined` removes one. A record that does not exist is `not_found`. */
  update(id: IdIn<H>, patch: Patch<H>): void;
  /** Deletes a record. A record that does not exist is not an error. */
  delete(id: IdIn<H>): void;
}

/** A collection of records that have counters, inside a transaction. */
export interface TransactionCounted<H extends CollectionShape> extends TransactionRecords<H> {
  /**
   * Adds to counters. Unlike outside of a transaction, a record that does not exist on this device is not an error: the
   * step is sent, and counts if the record exists elsewhere or is created later.
   */
  increment(id: IdIn<H>, by: Increments<H>): void;
}

/** What a transaction's function receives besides the collections. */
export interface TransactionContext {
  /** A UUID of this run; the operations of the run that is committed carry it as their `transaction`. */
  readonly id: string;
  /** `client.now()` when the run began. */
  readonly now: number;
}

/** Options of a transaction. A `signal` that aborts after the function has returned has no effect. */
export interface TransactionOptions extends WriteOptions, ReadOptions {}

// ── Queries: plain data, so that they can be compared, kept and sent ──

/** A key of an index, or the first parts of one. A single part needs no array. */
export type KeyPrefix<P extends readonly unknown[]> = P extends readonly [infer A]
  ? A
  : P extends readonly [infer A, infer B]
    ? A | readonly [A] | readonly [A, B]
    : P extends readonly [infer A, infer B, infer D]
      ? A | readonly [A] | readonly [A, B] | readonly [A, B, D]
      : never;

/** Which part of a result. */
export interface Window<R> {
  /**
   * At most this many rows: a whole number from 0. A live query must have it.
   * @default all
   */
  limit?: number | undefined;
  /**
   * From the last row to the first.
   * @default false
   */
  reverse?: boolean | undefined;
  /** The last row of the previous page, as it was returned. */
  startAfter?: R | undefined;
}

/** A range of an index: `equals`, or `startsWith`, or `from` and `before`. */
export interface KeyRange<P extends readonly unknown[]> {
  /** Only this key. In an index of several fields: the first ones. */
  equals?: KeyPrefix<P>;
  /** This key and those above it. */
  from?: KeyPrefix<P>;
  /** Those below this key, without it: `from: today, before: tomorrow`. */
  before?: KeyPrefix<P>;
  /** Strings that begin with this one. In an index of several fields: by its first one. */
  startsWith?: [P[0]] extends [string] ? string : never;
}

/**
 * Which records, and in which order: those of some `ids`, in that order; all, by id; or those of a declared `index`, or
 * of a range of it, in the order of its keys. A record that is in the range with several keys is returned once.
 */
export type Query<H extends CollectionShape> =
  | ({ ids: readonly IdIn<H>[]; index?: never } & Window<H["record"]>)
  | ({ index?: never; ids?: never } & Window<H["record"]>)
  | {
      [N in keyof H["indexes"]]: { index: N; ids?: never } & KeyRange<H["indexes"][N]> & Window<H["record"]>;
    }[keyof H["indexes"]];
/** A query with a `limit`: a live query must say how much it wants. */
export type LiveQuery<H extends CollectionShape> = Query<H> & { limit: number };

/** What a live query shows. */
export interface QuerySnapshot<R> {
  /** The records. Those that did not change are the same objects as before. */
  readonly rows: readonly R[];
  /** Nothing has been read from disk yet. */
  readonly loading: boolean;
  /** There are rows beyond `limit`. */
  readonly more: boolean;
  /** The collection has been pulled completely once, so an empty list means that there is nothing. */
  readonly complete: boolean;
  /** Why the last read failed; `rows` are those of the read before. `undefined`: it did not fail. */
  readonly error: AnyTillSyncError | undefined;
  /**
   * The sync state of a row of this snapshot.
   * @throws TillSyncError `not_found` if `id` is not one of its rows
   */
  meta(id: string): RecordMeta;
}
