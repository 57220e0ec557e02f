/** `defineCollection`: what a till and a server say once about a kind of record. */
import type { AllKeys, CounterField, IndexDeclaration, ReferencePath, ResolvedIndexes, SchemaCheck } from "./checks.ts";
import { resolveOptions } from "./options.ts";
import { definitionOf } from "./resolved.ts";
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from "./standard-schema.ts";
import type {
  CollectionDefinition,
  ConflictResolver,
  FactsAreNeverEdited,
  NoSuchPathInTheRecord,
  StoredRecord,
} from "./types.ts";

export interface CollectionOptions<
  S extends StandardSchemaV1,
  K extends "record" | "fact",
  I,
  N extends string,
  A extends string,
  R,
  F extends string,
> {
  /** `"fact"`: created once, never changed (sale, payment, refund, stock movement). `"record"`: edited in place. @default "record" */
  kind?: K | undefined;
  /** Describes the record. `id` may be in it or not: it is always there at run time. Output must be JSON and acceptable as input. */
  schema: S & SchemaCheck<S>;
  /**
   * Field names, or `{ name: field | [field, field] }`. Only what is declared here can be queried.
   * An index name is a JavaScript identifier: a field of another name is indexed as `{ name: "the-field" }`.
   */
  indexes?: I | undefined;
  /** Fields whose words a search will look up by prefix, without accents and case. Kept, and not used yet: `find({ search })` comes later. */
  search?: readonly F[] | undefined;
  /** Fields that only `increment` changes. Integers, or decimal strings; the schema must accept `0` or `"0"`, from which they count. */
  counters?: readonly N[] | undefined;
  /** Optional fields that only the server fills in, e.g. an order number. */
  assigned?: readonly A[] | undefined;
  /** Path to collection: `{ customerId: "customers", "items[].productId": "products" }`. Sync order follows from it. */
  references?:
    | (R & { readonly [P in Exclude<keyof R, ReferencePath<SchemaOutput<S>>>]: NoSuchPathInTheRecord })
    | undefined;
  /** Upload lane. @default "high" for a fact, "normal" for a record */
  priority?: "high" | "normal" | "low" | undefined;
  /** What to do where two devices changed the same field. @default mergeFields({}, "server"): the edit that lost stays on the desk */
  conflict?: ConflictResolver<StoredRecord<SchemaOutput<S>>> | undefined;
  /** Raise by one when stored records of the old version would no longer pass the schema. @default 1 @minimum 1 */
  schemaVersion?: number | undefined;
  /** From version n to n + 1, for stored records and queued operations. Every step from 1 must be there. */
  upcast?: Readonly<Record<number, (data: Record<string, unknown>) => Record<string, unknown>>> | undefined;
}

/**
 * Describes one kind of record, for the till and the server alike. Put it in a file that both import.
 *
 * @example
 * ```ts
 * const products = defineCollection({
 *   schema: z.object({ name: z.string(), priceCents: z.int(), stock: z.int().default(0) }),
 *   indexes: ["name"],
 *   counters: ["stock"],
 * });
 * ```
 * @throws TillSyncError `invalid_option`
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
  // The rule for facts is an intersection here and not a conditional on `conflict` itself, which would end the inference of
  // `mergeFields({...})`.
  options: CollectionOptions<S, K, I, N, A, R, F> &
    (K extends "fact" ? { conflict?: FactsAreNeverEdited; counters?: FactsAreNeverEdited } : unknown),
): CollectionDefinition<{
  // NoInfer: an inline definition must not take its types from where it is put.
  readonly kind: NoInfer<K>;
  readonly record: StoredRecord<SchemaOutput<S>>;
  readonly input: SchemaInput<S>;
  readonly indexes: ResolvedIndexes<SchemaOutput<S> & { id: string }, NoInfer<I>>;
  readonly counters: NoInfer<N>;
  readonly assigned: NoInfer<A>;
  readonly references: NoInfer<R>;
  readonly searchable: [NoInfer<F>] extends [never] ? false : true;
}> {
  // `~shape` exists for the compiler alone, so no value has the declared type.
  return definitionOf(resolveOptions(options)) as never;
}
