/** A collection with every default filled in: what client and server work with. */
import { expectOption } from "../shared/errors.ts";
import type { StandardSchemaV1 } from "./standard-schema.ts";
import type { CollectionDefinition, ConflictResolver, CounterBounds, UpcastFunction } from "./types.ts";

export interface ResolvedCollection {
  readonly kind: "record" | "fact";
  readonly schemaVersion: number;
  readonly schema: StandardSchemaV1;
  /**
   * The fields of each index, by index name. It has no prototype: index names of queries are looked up in it unchecked.
   */
  readonly indexes: Readonly<Record<string, readonly string[]>>;
  readonly counters: readonly string[];
  /** The bounds of each counter that has some, by name. It has no prototype. */
  readonly counterBounds: Readonly<Record<string, CounterBounds>>;
  readonly assigned: readonly string[];
  readonly references: readonly CollectionReference[];
  readonly search: readonly string[];
  readonly priority: "high" | "normal" | "low";
  /** `undefined` for the default, which only the conflict module knows. */
  // biome-ignore lint/suspicious/noExplicitAny: each collection has its own record type
  readonly conflict: ConflictResolver<any> | undefined;
  /** The steps from version n to n + 1, by n. */
  readonly upcast: Readonly<Record<number, UpcastStep>>;
}
export interface CollectionReference {
  /** `customerId`, `supplier.supplierId`, `items[].productId`, `tagIds[]`. */
  readonly path: string;
  readonly collection: string;
}
/** A step from one version to the next. Without `patch`, edits are raised by means of `record`. */
export interface UpcastStep {
  readonly record: UpcastFunction;
  readonly patch: UpcastFunction | undefined;
}

// A property and not a WeakMap: a bundle may have two copies of the package, and one must be able to read what the
// other has defined.
const RESOLVED = "~resolved";

/** What `defineCollection` returns. The resolved form is not enumerable, so a logged definition stays readable. */
export function definitionOf(resolved: ResolvedCollection): Pick<CollectionDefinition, "kind" | "schemaVersion"> {
  const definition = { kind: resolved.kind, schemaVersion: resolved.schemaVersion };
  Object.defineProperty(definition, RESOLVED, { value: Object.freeze(resolved) });
  return Object.freeze(definition);
}

/**
 * The resolved form of a definition.
 * @param option what the message calls the definition
 * @throws TillSyncError `invalid_option` if the value was not made by `defineCollection`
 */
export function resolvedOf(definition: CollectionDefinition, option = "collection"): ResolvedCollection {
  const resolved = (definition as { [RESOLVED]?: ResolvedCollection } | null | undefined)?.[RESOLVED];
  expectOption(
    resolved !== undefined,
    option,
    "a collection definition",
    definition,
    "Make it with `defineCollection({ schema })`.",
  );
  return resolved;
}
