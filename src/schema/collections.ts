/** What can only be checked on all collections together: their names, and whether referenced collections are there. */
import { expectOption } from "../shared/errors.ts";
import { isPlainObject } from "../shared/json.ts";
import { type ResolvedCollection, resolvedOf } from "./resolved.ts";
import type { CollectionMap } from "./types.ts";

export type ResolvedCollections = Readonly<Record<string, ResolvedCollection>>;

// Names are sent, and are part of table names. Requiring a letter first also excludes `__proto__`.
const COLLECTION_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
// `then` would make `client.collections` and `tx` thenable: awaiting them would call it.
const TAKEN = ["constructor", "prototype", "then"];
const EXAMPLE = "Write `collections: { products, sales }`.";

/**
 * The resolved form of each collection, by name and in the order given. Names from outside are looked up in it, so it
 * has no prototype. Called when a client or a server is made.
 *
 * @throws TillSyncError `invalid_option`
 */
export function checkCollections(collections: CollectionMap): ResolvedCollections {
  expectOption(isPlainObject(collections), "collections", "an object of definitions by name", collections, EXAMPLE);
  const names = Object.keys(collections);
  expectOption(names.length > 0, "collections", "at least one collection", collections, EXAMPLE);
  const resolved: Record<string, ResolvedCollection> = Object.create(null);
  for (const [name, definition] of Object.entries(collections)) {
    expectOption(
      COLLECTION_NAME.test(name) && !TAKEN.includes(name),
      "collections",
      "named by 1 to 64 letters, digits, _ or -, with a letter first",
      name,
      `Rename it; ${TAKEN.join(", ")} are taken.`,
    );
    resolved[name] = resolvedOf(definition, `collections.${name}`);
  }
  for (const [name, { references }] of Object.entries(resolved)) {
    for (const { path, collection } of references) {
      expectOption(
        collection in resolved,
        `collections.${name}.references["${path}"]`,
        `one of ${names.join(", ")}`,
        collection,
        "Add it to `collections`, or leave the reference out.",
      );
    }
  }
  return Object.freeze(resolved);
}
