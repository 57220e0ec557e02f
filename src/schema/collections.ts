/** What can only be said about collections together: their names, and whether what they reference is there. (schema) */

import { invalidOption } from "../shared/errors.ts";
import type { ResolvedCollection } from "./resolved.ts";
import { resolvedOf } from "./resolved.ts";
import type { CollectionMap } from "./types.ts";

export type ResolvedCollections = Readonly<Record<string, ResolvedCollection>>;

// Part of the wire and of table names. A leading letter also keeps `__proto__` out.
const COLLECTION_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
// `then` would make `client.collections` and `tx` thenable: awaiting them would call it.
const TAKEN: ReadonlySet<string> = new Set(["constructor", "prototype", "then"]);

/**
 * The resolved form of each, by name and in the order given; looked up by names from outside, so it has no prototype.
 * For the construction of a client or a server.
 *
 * @throws TillSyncError `invalid_option`
 */
export function checkCollections(collections: CollectionMap): ResolvedCollections {
  if (typeof collections !== "object" || collections === null || Array.isArray(collections)) {
    throw invalidOption(
      "collections",
      "an object of definitions by name",
      collections,
      "Write `collections: { products, sales }`.",
    );
  }
  const names = Object.keys(collections);
  if (names.length === 0) {
    throw invalidOption(
      "collections",
      "at least one collection",
      collections,
      "Write `collections: { products: defineCollection({ … }) }`.",
    );
  }
  const resolved: Record<string, ResolvedCollection> = Object.create(null);
  for (const [name, definition] of Object.entries(collections)) {
    checkName(name);
    resolved[name] = resolvedOf(definition, `collections.${name}`);
  }
  for (const name of names) checkReferences(name, resolved);
  return Object.freeze(resolved);
}

function checkName(name: string): void {
  if (COLLECTION_NAME.test(name) && !TAKEN.has(name)) return;
  const hint = `${[...TAKEN].map((taken) => `\`${taken}\``).join(", ")} are taken. Rename it.`;
  throw invalidOption(
    "collections",
    "an object whose names are 1 to 64 letters, digits, _ or -, with a letter first",
    name,
    hint,
  );
}

function checkReferences(name: string, collections: ResolvedCollections): void {
  for (const { path, collection } of collections[name]?.references ?? []) {
    if (collection in collections) continue;
    const option = `collections.${name}.references[${JSON.stringify(path)}]`;
    const known = Object.keys(collections).join(", ");
    throw invalidOption(
      option,
      `one of the collections given (${known})`,
      collection,
      `Add \`${collection}\` to \`collections\`, or leave the reference out.`,
    );
  }
}
