/** What is stored, as it was found: on the server by SQL, on a till in its own tables. Nobody's word, and no return value. */
import type { JsonObject } from "../../src/shared/json.ts";

export interface ServerRecord {
  readonly collection: string;
  readonly id: string;
  readonly version: number;
  /** With its counters. */
  readonly value: JsonObject;
}

/** What an operation says, wherever it lies. */
export interface Said {
  readonly id: string;
  readonly collection: string;
  readonly entityId: string;
  readonly action: string;
  readonly transaction: string | undefined;
  readonly patch: JsonObject;
  readonly by: Readonly<Record<string, number>>;
}

export interface ServerOperation extends Said {
  readonly device: string;
  readonly status: string;
}

export interface ServerBooks {
  /** Those that are live. */
  readonly records: readonly ServerRecord[];
  readonly operations: readonly ServerOperation[];
  /** One, unless the server has noticed that it had forgotten something. */
  readonly epochs: number;
}

export interface TillOperation extends Said {
  readonly state: string;
  readonly kind: string;
}

export interface TillBooks {
  readonly name: string;
  /** What the till shows, by collection. */
  readonly rows: Readonly<Record<string, readonly Omit<ServerRecord, "collection">[]>>;
  readonly operations: readonly TillOperation[];
  readonly claims: readonly Claim[];
}

/** What a till has counted once and for all, beside what there is. */
export interface Claim {
  readonly what: string;
  readonly counted: number;
  readonly found: number;
}

export function recordsOf(books: ServerBooks, collection: string): readonly ServerRecord[] {
  return books.records.filter((record) => record.collection === collection);
}

export function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
