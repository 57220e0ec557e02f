/** `defineCollection`: the definition of a kind of record, shared by client and server. */
import type { AllKeys, CounterField, IndexDeclaration, ReferencePath, ResolvedIndexes, SchemaCheck } from "./checks.ts";
import type { CounterBoundsByName } from "./counter-bounds.ts";
import { resolveOptions } from "./options.ts";
import { definitionOf } from "./resolved.ts";
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from "./standard-schema.ts";
import type {
  CollectionDefinition,
  ConflictResolver,
  FactsAreNeverEdited,
  NoSuchPathInTheRecord,
  StoredRecord,
  UpcastFunction,
  UpcastFunctions,
} from "./types.ts";

/**
 * The options of {@link defineCollection}. Its type parameters are inferred: the schema, the kind, the indexes, the
 * names of counters, of server-assigned fields and of searched fields, and the references.
 */
export interface CollectionOptions<
  S extends StandardSchemaV1,
  K extends "record" | "fact",
  I,
  N extends string,
  A extends string,
  R,
  F extends string,
> {
  /**
   * `"fact"`: created once and never changed, such as a sale, a payment, a refund or a stock movement.
   * `"record"`: edited in place.
   * @default "record"
   */
  kind?: K | undefined;
  /**
   * A Standard Schema (zod, valibot, arktype) of the record. It must check synchronously, put out JSON, and accept its
   * own output. It may be strict, and refuse keys that it does not declare. If it declares `id`, it checks the
   * record's id; otherwise it sees none.
   */
  schema: S & SchemaCheck<S>;
  /**
   * The indexes: an array of field names, or `{ name: field | [field, field] }`. Queries select rows by these or by
   * id. The fields have strings or numbers, or arrays of them: IndexedDB has no key for a boolean, so a row is not in
   * an index of one. Store 0 and 1, or a word. The name of an index is a JavaScript identifier; index a field with
   * another name as `{ name: "the-field" }`.
   * @default none
   */
  indexes?: I | undefined;
  /**
   * Fields whose words a search will look up by prefix, ignoring accents and case. Not used yet.
   * @default none
   */
  search?: readonly F[] | undefined;
  /**
   * Fields that only `increment` changes: integers, or decimal strings. They count from zero, so the schema must accept
   * `0` or `"0"`. Not for facts.
   * @default none
   */
  counters?: readonly N[] | undefined;
  /**
   * The bounds of counters, by name: `{ stock: { maxStep: 100_000, min: -1_000_000, max: 1_000_000 } }`. A till refuses
   * a step beyond `maxStep`. What would lead beyond `min` or `max` is applied with the sale that it belongs to, except
   * for the step itself: the server sets that aside, for people to release once there is room. Choose bounds that no
   * honest day reaches: they are there for mistakes, and for tills that somebody has stolen.
   * @default a `maxStep` of 1,000,000,000, and sums that can be counted exactly
   */
  counterBounds?: CounterBoundsByName<S, NoInfer<N>> | undefined;
  /**
   * Optional fields that only the server fills in, such as an order number.
   * @default none
   */
  assigned?: readonly A[] | undefined;
  /**
   * The collection that each path refers to: `{ customerId: "customers", "items[].productId": "products" }`. Referenced
   * collections are pulled first, and a record is sent after the pending creates that it refers to.
   * @default none
   */
  references?:
    | (R & { readonly [P in Exclude<keyof R, ReferencePath<SchemaOutput<S>>>]: NoSuchPathInTheRecord })
    | undefined;
  /**
   * The lane in which the collection's operations are sent.
   * @default "high" for a fact, "normal" for a record
   */
  priority?: "high" | "normal" | "low" | undefined;
  /**
   * What to do if two devices changed the same field: one of `tillsync/conflict`, or a function. Not for facts.
   * @default mergeFields({}, "server"), which keeps the server's value; the edit that lost stays on the desk
   */
  conflict?: ConflictResolver<StoredRecord<SchemaOutput<S>>> | undefined;
  /**
   * The version of the schema. Raise it by one when stored records would no longer pass the schema.
   * @default 1
   * @minimum 1
   */
  schemaVersion?: number | undefined;
  /**
   * The steps that raise the data of records and of operations from version n to n + 1, by n. Required if
   * `schemaVersion` is above 1: a step for each version from 1.
   *
   * A step is a function that takes a whole record, without `id` and counters, and returns it in the next version. It
   * must be pure, and return plain JSON. Edits are raised with it too: it runs on a record with the edit and without
   * it, and what differs is the edit in the next version. If a step computes one field from several, or throws when a
   * field is absent, write `{ record, patch }`: `patch` takes and returns the changed fields alone, with `undefined`
   * for a field to remove.
   */
  upcast?: Readonly<Record<number, UpcastFunction | UpcastFunctions>> | undefined;
}

/**
 * Defines one kind of record, for client and server alike. Put it in a file that both import.
 *
 * @returns an opaque definition, for the `collections` of a client, a server or a test shop
 * @throws TillSyncError `invalid_option`
 * @example
 * ```ts
 * const products = defineCollection({
 *   schema: z.object({ name: z.string(), priceCents: z.int(), stock: z.int().default(0) }),
 *   indexes: ["name"],
 *   counters: ["stock"],
 * });
 * ```
 */
export function defineCollection<
  // biome-ignore lint/suspicious/noExplicitAny: the input of a coercing schema is anything
  S extends StandardSchemaV1<any, object>,
  const K extends "record" | "fact" = "record",
  const I extends IndexDeclaration<SchemaOutput<S>> = readonly [],
  const N extends CounterField<SchemaOutput<S>> = never,
  const A extends AllKeys<SchemaOutput<S>> = never,
  const R extends Readonly<Record<string, string>> = Readonly<Record<never, never>>,
  const F extends AllKeys<SchemaOutput<S>> = never,
>(
  // The rule for facts is an intersection. A conditional type on `conflict` itself would prevent the inference of
  // `mergeFields({...})`.
  options: CollectionOptions<S, K, I, N, A, R, F> &
    (K extends "fact" ? { conflict?: FactsAreNeverEdited; counters?: FactsAreNeverEdited } : unknown),
): CollectionDefinition<{
  // NoInfer: an inline definition must not take its types from its context.
  readonly kind: NoInfer<K>;
  readonly record: StoredRecord<SchemaOutput<S>>;
  readonly input: SchemaInput<S>;
  readonly indexes: ResolvedIndexes<SchemaOutput<S> & { id: string }, NoInfer<I>>;
  readonly counters: NoInfer<N>;
  readonly assigned: NoInfer<A>;
  readonly references: NoInfer<R>;
  readonly searchable: [NoInfer<F>] extends [never] ? false : true;
}> {
  // `~shape` exists only for the compiler, so no value has the declared type.
  return definitionOf(resolveOptions(options)) as never;
}
