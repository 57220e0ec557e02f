/**
 * Typed reads for scripts: each read knows the type of its answer, so scripts need no casts.
 *
 *     const [[queue, point], operations] = yield* ask([meta(QUEUE, SYNC), operationsById(ids)]);
 *
 * Reads in one `ask` are one round trip to the database.
 */
import type { StoredLease } from "../decide/lease.ts";
import type { KeyRange, ScannedRow, ScanOptions, StorageRead } from "../ports/storage.ts";
import {
  type CursorState,
  cursorKey,
  type IDENTITY,
  type Identity,
  type LEASE,
  type Orphan,
  orphanRange,
  type QUEUE,
  type QueueState,
  type SCHEMAS,
  type Schemas,
  type SYNC,
  type SyncPoint,
} from "../state/meta.ts";
import type { StoredOperation } from "../state/operation.ts";
import type { StoredConflict, StoredRow } from "../state/rows.ts";
import { CONFLICTS, META, OPERATIONS, tableOf } from "../state/tables.ts";

/** A part of a script that only reads. */
export type Reads<T> = Generator<readonly StorageRead[], T, readonly unknown[]>;

/** A read with the type of its answer. The member `~answer` exists only in the type. */
export interface TypedRead<Answer> {
  readonly read: StorageRead;
  readonly "~answer"?: Answer;
}

type Answers<R extends readonly TypedRead<unknown>[]> = {
  [I in keyof R]: R[I] extends TypedRead<infer Answer> ? Answer : never;
};

/**
 * Yields all of these reads at once, and returns their answers. A read of no keys is answered without asking the store.
 */
export function* ask<const R extends readonly TypedRead<unknown>[]>(reads: R): Reads<Answers<R>> {
  const asked = reads.map(({ read }) => read).filter((read) => !isEmpty(read));
  const found = (asked.length === 0 ? [] : yield asked).values();
  const answers = reads.map(({ read }) => (isEmpty(read) ? [] : found.next().value));
  // The only place where the store's answers get their types. The files of state/ say which shapes each table holds.
  return answers as unknown as Answers<R>;
}

function isEmpty(read: StorageRead): boolean {
  return read.kind === "get" && read.keys.length === 0;
}

type Found<V> = readonly (V | undefined)[];
export type Scanned<V> = readonly ScannedRow<V>[];

const get = <Answer>(
  table: string,
  keys: readonly string[],
  speculate?: "absent" | "unchanged" | undefined,
): TypedRead<Answer> => ({ read: { kind: "get", table, keys, ...(speculate !== undefined && { speculate }) } });

const scan = <V>(table: string, options: ScanOptions): TypedRead<Scanned<V>> => ({
  read: { kind: "scan", table, options },
});

interface MetaRows {
  [IDENTITY]: Identity;
  [QUEUE]: QueueState;
  [SYNC]: SyncPoint;
  [LEASE]: StoredLease;
  [SCHEMAS]: Schemas;
}
type MetaAnswer<K extends readonly (keyof MetaRows)[]> = { [I in keyof K]: MetaRows[K[I]] | undefined };

export const meta = <const K extends readonly (keyof MetaRows)[]>(...keys: K) => get<MetaAnswer<K>>(META, keys);

/** Like `meta`, for rows that the last transaction of this connection has most likely left unchanged. */
export const unchangedMeta = <const K extends readonly (keyof MetaRows)[]>(...keys: K) =>
  get<MetaAnswer<K>>(META, keys, "unchanged");

export const cursorsOf = (collections: readonly string[]) => get<Found<CursorState>>(META, collections.map(cursorKey));

export const orphans = () => scan<Orphan>(META, { range: orphanRange });

export const rowsOf = (collection: string, ids: readonly string[], speculate?: "absent") =>
  get<Found<StoredRow>>(tableOf(collection), ids, speculate);

export const scanRows = (collection: string, options: ScanOptions) => scan<StoredRow>(tableOf(collection), options);

export const operationsById = (ids: readonly string[]) => get<Found<StoredOperation>>(OPERATIONS, ids);

export const operationsIn = (index: string, range: KeyRange, limit?: number) =>
  scan<StoredOperation>(OPERATIONS, { index, range, ...(limit !== undefined && { limit }) });

export const conflictsById = (ids: readonly string[]) => get<Found<StoredConflict>>(CONFLICTS, ids);

export const conflictsIn = (index: string, range: KeyRange, limit?: number) =>
  scan<StoredConflict>(CONFLICTS, { index, range, ...(limit !== undefined && { limit }) });

export const valuesOf = <V>(rows: Scanned<V>): readonly V[] => rows.map(({ value }) => value);
