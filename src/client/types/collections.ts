/** Collections, transactions and queries, as an app sees them. */
import type { CollectionMap, CollectionShape, CreateInput, Increments, Patch } from "../../schema/types.ts";
import type { AnyTillSyncError } from "../../shared/errors.ts";
import type { RecordMeta, Settlement } from "./record.ts";
import type { IdIn, Live, ShapeOf, Unsubscribe } from "./shape.ts";

// ── Collections ──
export type Collections<C extends CollectionMap> = { readonly [N in keyof C]: CollectionFor<ShapeOf<C, N>> };
export type CollectionFor<H extends CollectionShape> = H["kind"] extends "fact"
  ? FactCollection<H>
  : [H["counters"]] extends [never]
    ? RecordCollection<H>
    : CountedCollection<H>;

export interface ReadableCollection<H extends CollectionShape> {
  readonly name: string;
  get(id: IdIn<H>): Promise<H["record"] | undefined>;
  /** In the order asked for; `undefined` where there is none. */
  getMany(ids: readonly IdIn<H>[]): Promise<readonly (H["record"] | undefined)[]>;
  find(query?: Query<H>, options?: ReadOptions): Promise<readonly H["record"][]>;
  first(query: Query<H>, options?: ReadOptions): Promise<H["record"] | undefined>;
  count(query?: Query<H>): Promise<number>;
  /** Row by row, without holding them all. */
  iterate(query?: Query<H>, options?: ReadOptions): AsyncIterable<H["record"]>;
  /** Calls the listener at once, then whenever a row of the answer, or its sync state, changes. */
  watch(query: LiveQuery<H>, listener: (snapshot: QuerySnapshot<H["record"]>) => void): Unsubscribe;
  /** The same as an object, for bindings. A Svelte store as it is. Does nothing until subscribed to. */
  live(query: LiveQuery<H>): Live<QuerySnapshot<H["record"]>>;
  meta(id: IdIn<H>): Promise<RecordMeta | undefined>;
  /** Resolves when nothing on this record is waiting for the server any more, with how it ended. Rejects only on abort or close. */
  settled(id: IdIn<H>, options?: { signal?: AbortSignal | undefined }): Promise<Settlement<H>>;
}
export interface FactCollection<H extends CollectionShape> extends ReadableCollection<H> {
  /** Mints `id` (UUID v7) where there is none. Resolves when it is on disk. */
  create(data: CreateInput<H>, options?: WriteOptions): Promise<H["record"]>;
  /** For imports: on disk in few steps, and free to travel in many batches. Not a transaction. */
  createMany(data: readonly CreateInput<H>[], options?: WriteOptions): Promise<readonly H["record"][]>;
}
export interface RecordCollection<H extends CollectionShape> extends FactCollection<H> {
  /** Writes the named fields only; `undefined` removes one. Rejects with `not_found` where there is no such record. */
  update(id: IdIn<H>, patch: Patch<H>, options?: WriteOptions): Promise<H["record"]>;
  /** Gone from every read at once. A record that is not there is no error. */
  delete(id: IdIn<H>, options?: WriteOptions): Promise<void>;
  /** The patch that leads from one to the other: what the user changed in a form, and nothing that others changed meanwhile. */
  changes(before: H["record"], after: Partial<H["record"]>): Patch<H>;
}
export interface CountedCollection<H extends CollectionShape> extends RecordCollection<H> {
  increment(id: IdIn<H>, by: Increments<H>, options?: WriteOptions): Promise<H["record"]>;
}
export interface WriteOptions {
  actor?: string | undefined;
}
export interface ReadOptions {
  signal?: AbortSignal | undefined;
}

// ── Transactions: reads are awaited, writes are not ──
export type TransactionCollections<C extends CollectionMap> = {
  readonly [N in keyof C]: TransactionCollectionFor<ShapeOf<C, N>>;
};
export type TransactionCollectionFor<H extends CollectionShape> = H["kind"] extends "fact"
  ? TransactionFacts<H>
  : [H["counters"]] extends [never]
    ? TransactionRecords<H>
    : TransactionCounted<H>;
export interface TransactionFacts<H extends CollectionShape> {
  get(id: IdIn<H>): Promise<H["record"] | undefined>;
  getMany(ids: readonly IdIn<H>[]): Promise<readonly (H["record"] | undefined)[]>;
  find(query: Query<H>): Promise<readonly H["record"][]>;
  first(query: Query<H>): Promise<H["record"] | undefined>;
  create(data: CreateInput<H>): H["record"];
}
export interface TransactionRecords<H extends CollectionShape> extends TransactionFacts<H> {
  update(id: IdIn<H>, patch: Patch<H>): void;
  delete(id: IdIn<H>): void;
}
export interface TransactionCounted<H extends CollectionShape> extends TransactionRecords<H> {
  increment(id: IdIn<H>, by: Increments<H>): void;
}
export interface TransactionContext {
  readonly id: string;
  /** `client.now()`, frozen for the run. */
  readonly now: number;
}
export interface TransactionOptions extends WriteOptions, ReadOptions {}

// ── Queries: plain data, so that they can be compared, kept and sent ──
export type KeyPrefix<P extends readonly unknown[]> = P extends readonly [infer A]
  ? A
  : P extends readonly [infer A, infer B]
    ? A | readonly [A] | readonly [A, B]
    : P extends readonly [infer A, infer B, infer D]
      ? A | readonly [A] | readonly [A, B] | readonly [A, B, D]
      : never;
export interface Window<R> {
  /** @default all of them, where it is not a live query */
  limit?: number | undefined;
  reverse?: boolean | undefined;
  /** The last row of the page before. */
  startAfter?: R | undefined;
}
export interface KeyRange<P extends readonly unknown[]> {
  /** Excludes the others. In an index of several fields: the first ones. */
  equals?: KeyPrefix<P>;
  /** This one and what follows. */
  from?: KeyPrefix<P>;
  /** What precedes this one, without it: `from: today, before: tomorrow`. */
  before?: KeyPrefix<P>;
  startsWith?: [P[0]] extends [string] ? string : never;
}
export type Query<H extends CollectionShape> =
  | ({ ids: readonly IdIn<H>[]; index?: never } & Window<H["record"]>)
  | ({ index?: never; ids?: never } & Window<H["record"]>)
  | {
      [N in keyof H["indexes"]]: { index: N; ids?: never } & KeyRange<H["indexes"][N]> & Window<H["record"]>;
    }[keyof H["indexes"]];
/** A live query says how much it wants. */
export type LiveQuery<H extends CollectionShape> = Query<H> & { limit: number };

export interface QuerySnapshot<R> {
  /** Rows that did not change are the same objects as before. */
  readonly rows: readonly R[];
  /** Until the first read from disk. */
  readonly loading: boolean;
  /** There are rows beyond `limit`. */
  readonly more: boolean;
  /** This collection has been pulled completely once: an empty list means that there is nothing. */
  readonly complete: boolean;
  readonly error: AnyTillSyncError | undefined;
  /** Of a row of this snapshot. */
  meta(id: string): RecordMeta;
}
