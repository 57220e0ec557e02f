/**
 * What a collection definition knows, as types: resolved once into a shape, so that nothing asks the schema a second
 * time and sixty collections still compile in seconds.
 */

/** The resolved types of one collection. Everything else looks fields up here instead of asking the schema again. */
export interface CollectionShape {
  readonly kind: "record" | "fact";
  readonly record: { readonly id: string };
  readonly input: object;
  readonly indexes: Readonly<Record<string, readonly unknown[]>>;
  readonly counters: string;
  readonly assigned: string;
  readonly references: Readonly<Record<string, string>>;
  readonly searchable: boolean;
}

/** What `defineCollection` makes. Opaque at run time: hand it to a client and to a server. */
export interface CollectionDefinition<H extends CollectionShape = CollectionShape> {
  readonly kind: H["kind"];
  readonly schemaVersion: number;
  /** Types only, absent at run time. */
  readonly "~shape": H;
}

/** Collections by the name they have on the till, on the wire and on the server. */
export type CollectionMap = Readonly<Record<string, CollectionDefinition>>;

/** The record as the till sees it: what the schema puts out, plus `id`, read-only. */
export type RecordOf<D extends CollectionDefinition> = D["~shape"]["record"];
/** What `create` takes: what the schema takes in, `id` optional, server-assigned fields absent. */
export type CreateInputOf<D extends CollectionDefinition> = CreateInput<D["~shape"]>;
/** What `update` takes: any of the fields, without id, counters and server-assigned fields. `undefined` removes a field. */
export type PatchOf<D extends CollectionDefinition> = Patch<D["~shape"]>;
export type IdOf<D extends CollectionDefinition> = D["~shape"]["record"]["id"];

export type CreateInput<H extends CollectionShape> = Without<H["input"], H["assigned"] | "id"> & {
  id?: string | undefined;
} & { [K in H["assigned"]]?: OnlyTheServerFillsThisIn };

export type Patch<H extends CollectionShape> = Partial<Without<H["input"], H["counters"] | H["assigned"] | "id">> & {
  [K in H["counters"]]?: ACounterChangesByIncrementOnly;
} & { [K in H["assigned"]]?: OnlyTheServerFillsThisIn } & { id?: AnIdNeverChanges };

/** What `increment` takes: at least one counter, each with an integer, or a decimal string where the field is a string. */
export type Increments<H extends CollectionShape> = {
  [K in H["counters"]]: { [P in K]: CounterStep<At<H["record"], P>> } & {
    [P in Exclude<H["counters"], K>]?: CounterStep<At<H["record"], P>>;
  };
}[H["counters"]];
type CounterStep<V> = [V] extends [number] ? number : string;

/** What a resolver is given. One vocabulary on both sides and on the wire: base, client, server. */
export interface ConflictContext<T> {
  /** The record that the client's change was made on; `undefined` where it did not exist, or is not known any more. */
  readonly base: T | undefined;
  readonly client: T;
  readonly server: T;
  /** The fields both sides changed. */
  readonly fields: readonly (keyof T & string)[];
}

/** Pure and synchronous. Answer a whole record, or the name of a side, or `"manual"`: people decide. */
export type ConflictResolver<T> = (conflict: ConflictContext<T>) => T | "server" | "client" | "manual";

// Nobody can make one of these. Their names are the compiler's message: `?: never` would read "not assignable to never".
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
/** `Omit` that keeps the variants of a union apart. */
type Without<T, K extends PropertyKey> = T extends unknown
  ? { [P in keyof T as P extends K ? never : P]: T[P] }
  : never;
/** The field in whichever variants of a union have it. */
export type At<T, K> = T extends unknown ? (K extends keyof T ? T[K] : never) : never;
