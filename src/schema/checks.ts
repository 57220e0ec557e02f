/**
 * What `defineCollection` requires of a schema and of field names, as types. A check that fails must name the field, so
 * each check is either a harmless type or a sentence.
 */
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from "./standard-schema.ts";
import type { At, CollectionMap } from "./types.ts";

type Scalar = string | number | boolean | null | undefined;

// Four levels deep and no deeper, so that the compiler stays fast: what is below is checked at run time.
type NotJson<T, Depth extends 0[] = []> = unknown extends T
  ? never
  : T extends Scalar
    ? never
    : Depth["length"] extends 4
      ? never
      : T extends readonly (infer E)[]
        ? NotJson<E, [...Depth, 0]>
        : T extends NeverJson
          ? T
          : { [K in keyof T]-?: NotJson<T[K], [...Depth, 0]> }[keyof T];
// biome-ignore format: one list
type NeverJson =
  | bigint | symbol | Date | RegExp | ArrayBuffer | ArrayBufferView
  // biome-ignore lint/suspicious/noExplicitAny: of anything
  | ReadonlyMap<any, any> | ReadonlySet<any> | ((...parameters: any) => any);
type NotJsonField<O> = O extends unknown
  ? { [K in keyof O & string]-?: [NotJson<O[K]>] extends [never] ? never : K }[keyof O & string]
  : never;

/** `unknown` if the schema can be used; otherwise a sentence that names the field. */
export type SchemaCheck<S extends StandardSchemaV1> = [NotJsonField<SchemaOutput<S>>] extends [never]
  ? SchemaOutput<S> extends SchemaInput<S>
    ? SchemaOutput<S> extends { id: infer I }
      ? I extends string
        ? unknown
        : "tillsync: `id` must be a string"
      : unknown
    : "tillsync: what the schema puts out must be accepted by the schema again (defaults, trim and coerce are fine; a transform to another type is not)"
  : `tillsync: field \`${NotJsonField<SchemaOutput<S>>}\` is not JSON (store a Date as a number of milliseconds or an ISO string, a bigint as a string)`;

// The index signature of a loose object would hide its named keys in `keyof`, so it is removed first.
export type AllKeys<T> = T extends unknown
  ? keyof { [K in keyof T as string extends K ? never : K]: 0 } & string
  : never;

export type KeyPart<V> = Exclude<V, null | undefined> extends readonly (infer E)[] ? E : Exclude<V, null | undefined>;
/** Fields of strings or numbers, or of arrays of them (each element is indexed). IndexedDB has no boolean keys. */
type IndexField<O> =
  | { [K in AllKeys<O>]: [KeyPart<At<O, K>>] extends [string | number] ? K : never }[AllKeys<O>]
  | "id";
export type CounterField<O> = {
  [K in AllKeys<O>]: [At<O, K>] extends [number] ? K : [At<O, K>] extends [string] ? K : never;
}[AllKeys<O>];

type IdLike = string | null | undefined | readonly string[];
type IdLikeKeys<T> = { [P in AllKeys<T>]: At<T, P> extends IdLike ? P : never }[AllKeys<T>];
/** `customerId`, `supplier.supplierId`, `items[].productId`. */
export type ReferencePath<O> = {
  [K in AllKeys<O>]: At<O, K> extends IdLike
    ? K
    : NonNullable<At<O, K>> extends readonly (infer E)[]
      ? `${K}[].${IdLikeKeys<E>}`
      : NonNullable<At<O, K>> extends object
        ? `${K}.${IdLikeKeys<NonNullable<At<O, K>>>}`
        : never;
}[AllKeys<O>];

export type IndexDeclaration<O> =
  | readonly IndexField<O>[]
  | Readonly<Record<string, IndexField<O> | readonly IndexField<O>[]>>;
type KeyParts<O, F extends readonly string[]> = { readonly [P in keyof F]: KeyPart<At<O, F[P]>> };
/** The types of an index's parts, by index name. */
export type ResolvedIndexes<O, I> = I extends readonly string[]
  ? { readonly [K in I[number]]: readonly [KeyPart<At<O, K>>] }
  : {
      readonly [N in keyof I & string]: I[N] extends readonly string[]
        ? KeyParts<O, I[N]>
        : readonly [KeyPart<At<O, I[N]>>];
    };

/** The compile error of a map whose collections reference one that is not in it: a sentence that names both. */
export type CheckReferences<C extends CollectionMap> = {
  readonly [K in keyof C]: Exclude<
    C[K]["~shape"]["references"][keyof C[K]["~shape"]["references"]],
    keyof C
  > extends infer Missing
    ? [Missing] extends [never]
      ? unknown
      : `tillsync: \`${K & string}\` references the collection \`${Missing & string}\`, which is not here`
    : never;
};
