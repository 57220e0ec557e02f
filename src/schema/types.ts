/**
 * What a collection definition knows, as types. They are resolved once into a shape, so nothing evaluates the schema's
 * types a second time, and sixty collections compile in seconds.
 */

import type { CounterValue } from "../shared/counter-step.ts";

/** The resolved types of one collection. Other types read them here and not from the schema. */
export interface CollectionShape {
  /** The option `kind`. */
  readonly kind: "record" | "fact";
  /** The record as the schema puts it out, with `id`; all members read-only. */
  readonly record: { readonly id: string };
  /** What the schema accepts. */
  readonly input: object;
  /** The types of each index's parts, by index name. */
  readonly indexes: Readonly<Record<string, readonly unknown[]>>;
  /** The names of the counters; `never` for none. */
  readonly counters: string;
  /** The names of the server-assigned fields; `never` for none. */
  readonly assigned: string;
  /** The option `references`: collection by path. */
  readonly references: Readonly<Record<string, string>>;
  /** Whether the option `search` names a field. */
  readonly searchable: boolean;
}

/** What `defineCollection` returns: for the `collections` of a client and of a server. */
export interface CollectionDefinition<H extends CollectionShape = CollectionShape> {
  /** Whether its records are edited, or are facts. */
  readonly kind: H["kind"];
  /** The version of its schema, from 1. */
  readonly schemaVersion: number;
  /** For the compiler only; absent at run time. */
  readonly "~shape": H;
}

/** Collections by name. A collection has the same name on the client, on the wire and on the server. */
export type CollectionMap = Readonly<Record<string, CollectionDefinition>>;

/** A record as the client reads it: what the schema puts out, with `id`; all members read-only. */
export type RecordOf<D extends CollectionDefinition> = D["~shape"]["record"];
/** What `create` accepts: what the schema accepts, with an optional `id`, without server-assigned fields. */
export type CreateInputOf<D extends CollectionDefinition> = CreateInput<D["~shape"]>;
/** What `update` accepts: any fields except `id`, counters and server-assigned fields. `undefined` removes a field. */
export type PatchOf<D extends CollectionDefinition> = Patch<D["~shape"]>;
/** The type of the record's `id`. */
export type IdOf<D extends CollectionDefinition> = D["~shape"]["record"]["id"];

/** {@link CreateInputOf}, from the shape of a collection. Without an `id` the client makes one. */
export type CreateInput<H extends CollectionShape> = Without<H["input"], H["assigned"] | "id"> & {
  id?: string | undefined;
} & { [K in H["assigned"]]?: OnlyTheServerFillsThisIn };

/** {@link PatchOf}, from the shape of a collection. Its `id` member only makes the compiler refuse an `id`. */
export type Patch<H extends CollectionShape> = Partial<Without<H["input"], H["counters"] | H["assigned"] | "id">> & {
  [K in H["counters"]]?: ACounterChangesByIncrementOnly;
} & { [K in H["assigned"]]?: OnlyTheServerFillsThisIn } & { id?: AnIdNeverChanges };

/**
 * What `increment` accepts: a step for at least one counter. An integer, or a decimal string if the field is a string.
 */
export type Increments<H extends CollectionShape> = {
  [K in H["counters"]]: { [P in K]: CounterStep<At<H["record"], P>> } & {
    [P in Exclude<H["counters"], K>]?: CounterStep<At<H["record"], P>>;
  };
}[H["counters"]];
export type CounterStep<V> = [V] extends [number] ? number : string;

/**
 * The bounds of one counter, in the counter's own unit: integers, or decimal strings if the field is a string.
 */
export interface CounterBounds<V extends CounterValue = CounterValue> {
  /**
   * The largest step, up or down, the bound included: of an `increment`, of the value that a `create` names, and of a
   * policy's effect. A till refuses a larger one before it is stored. The server leaves it out of the sum, and sets it
   * aside with `counter_out_of_range`.
   * @default 1_000_000_000, which no honest step reaches (a thousand tonnes in grams, ten million in cents), and of which
   *   nine million are needed to leave the range of exact integers
   * @minimum above 0
   */
  readonly maxStep?: V | undefined;
  /**
   * The smallest sum that steps may lead to. Only the server judges it, because no till knows the sum: a till goes on
   * selling, and the server sets aside the step that would go below it.
   * @default none but what can be counted exactly: -(2^53 - 1), or 40 digits before the point for a decimal string
   * @maximum 0, since a counter counts from zero
   */
  readonly min?: V | undefined;
  /**
   * The largest sum that steps may lead to, judged like `min`.
   * @default none but what can be counted exactly: 2^53 - 1, or 40 digits before the point for a decimal string
   * @minimum 0, since a counter counts from zero
   */
  readonly max?: V | undefined;
}

/** The argument of a resolver: a record that two devices have changed. Frozen; the records have `id` in them. */
export interface ConflictContext<T> {
  /**
   * The record on which the client's change was made; `undefined` if there was none, or if it is not known any more.
   * On the server, which keeps no history, it lacks the fields in conflict.
   */
  readonly base: T | undefined;
  /** The record with the client's change. */
  readonly client: T;
  /** The record as the server has it. */
  readonly server: T;
  /** The fields that both sides changed, to different values. */
  readonly fields: readonly (keyof T & string)[];
}

/**
 * Decides a conflict. It must be pure and synchronous. It returns a whole record, the name of the side to keep, or
 * `"manual"` to leave the decision to people. If it throws, or returns anything else, the conflict is left to people.
 */
export type ConflictResolver<T> = (conflict: ConflictContext<T>) => T | "server" | "client" | "manual";

/** A step of the option `upcast`: takes data of one schema version, and returns it in the next. */
export type UpcastFunction = (data: Record<string, unknown>) => Record<string, unknown>;

/** A step of the option `upcast` with a function of its own for patches. */
export interface UpcastFunctions {
  /** Takes and returns a whole record, without `id` and counters. */
  readonly record: UpcastFunction;
  /**
   * Takes and returns the changed fields of an edit; `undefined` removes a field.
   * @default by means of `record`, which runs on the record with the edit and without it
   */
  readonly patch?: UpcastFunction | undefined;
}

// No value has one of these types. Their names are the compiler's message: `?: never` would read "not assignable to
// never".
export interface ACounterChangesByIncrementOnly {
  readonly "~never": never;
}
export interface OnlyTheServerFillsThisIn {
  readonly "~never": never;
}
export interface AnIdNeverChanges {
  readonly "~never": never;
}
export interface FactsAreNeverEdited {
  readonly "~never": never;
}
export interface NoSuchPathInTheRecord {
  readonly "~never": never;
}

export type StoredRecord<O> = O extends unknown
  ? Flat<{ readonly [K in keyof O]: O[K] } & { readonly id: O extends { id: infer I extends string } ? I : string }>
  : never;
type Flat<T> = T extends unknown ? { [K in keyof T]: T[K] } : never;
/** An `Omit` that keeps the variants of a union apart. */
type Without<T, K extends PropertyKey> = T extends unknown
  ? { [P in keyof T as P extends K ? never : P]: T[P] }
  : never;
/** The type of a field, in those variants of a union that have it. */
export type At<T, K> = T extends unknown ? (K extends keyof T ? T[K] : never) : never;
