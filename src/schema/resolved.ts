/** A collection with every default filled in: what till and server work with. */

import { expectOption } from "../shared/errors.ts";
import type { StandardSchemaV1 } from "./standard-schema.ts";
import type { CollectionDefinition, ConflictResolver } from "./types.ts";

export interface ResolvedCollection {
  readonly kind: "record" | "fact";
  readonly schemaVersion: number;
  readonly schema: StandardSchemaV1;
  /** The fields of each index, by index name. Has no prototype: a query's index name is looked up in it as it came. */
  readonly indexes: Readonly<Record<string, readonly string[]>>;
  readonly counters: readonly string[];
  readonly assigned: readonly string[];
  readonly references: readonly CollectionReference[];
  readonly search: readonly string[];
  readonly priority: "high" | "normal" | "low";
  /** `undefined`: the default, which is the conflict module's to know. */
  // biome-ignore lint/suspicious/noExplicitAny: each collection has its own record type
  readonly conflict: ConflictResolver<any> | undefined;
  /** The step from version n to n + 1, by n. */
  readonly upcast: Readonly<Record<number, Upcast>>;
}
export interface CollectionReference {
  /** `customerId`, `supplier.supplierId`, `items[].productId`, `tagIds[]`. */
  readonly path: string;
  readonly collection: string;
}
export type Upcast = (data: Record<string, unknown>) => Record<string, unknown>;

// A property of the definition and not a WeakMap: a till's bundle may hold two copies of the package, and a definition
// made by one must be read by the other.
const RESOLVED = "~resolved";

/** What `defineCollection` returns. The resolved form is not enumerable, so that a logged definition stays readable. */
export function definitionOf(resolved: ResolvedCollection): Pick<CollectionDefinition, "kind" | "schemaVersion"> {
  const definition = { kind: resolved.kind, schemaVersion: resolved.schemaVersion };
  Object.defineProperty(definition, RESOLVED, { value: Object.freeze(resolved) });
  return Object.freeze(definition);
}

/** @throws TillSyncError `invalid_option` where the value was not made by `defineCollection`; `option` names it in the message */
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
