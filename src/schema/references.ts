/** References between collections: their paths, and the ids that a record has there. */
import { expectOption } from "../shared/errors.ts";
import { isPlainObject, type Json, type JsonObject } from "../shared/json.ts";
import { isField } from "./index-options.ts";
import type { CollectionReference } from "./resolved.ts";

/** `a`, `a[]`, `a.b`, `a[].b`. The compiler could not check deeper paths in reasonable time. */
const PATH = /^([^.[\]]+)(\[\])?(?:\.([^.[\]]+))?$/;
const EXAMPLE = 'Write `{ customerId: "customers", "items[].productId": "products" }`.';

/**
 * Resolves the option `references`.
 * @throws TillSyncError `invalid_option`
 */
export function resolveReferences(references: unknown = {}): readonly CollectionReference[] {
  expectOption(isPlainObject(references), "references", "an object from path to collection", references, EXAMPLE);
  const resolved = Object.entries(references).map(([path, collection]) => {
    expectOption(PATH.test(path), "references", "an object of paths", path, EXAMPLE);
    expectOption(isField(collection), `references["${path}"]`, "the name of a collection", collection, EXAMPLE);
    return Object.freeze({ path, collection });
  });
  return Object.freeze(resolved);
}

export interface ReferencedRecord {
  readonly collection: string;
  readonly id: string;
}

/** The records that a record refers to, each once, in the order of the declarations. */
export function referencesIn(
  references: readonly CollectionReference[],
  data: JsonObject,
): readonly ReferencedRecord[] {
  const found = new Map<string, ReferencedRecord>();
  for (const { path, collection } of references) {
    for (const id of idsAt(path, data)) {
      // The name of a collection contains no space. A record that is found again keeps its place.
      found.set(`${collection} ${id}`, { collection, id });
    }
  }
  return [...found.values()];
}

function idsAt(path: string, data: JsonObject): readonly string[] {
  const [, field = "", , member] = PATH.exec(path) ?? [];
  const top = memberOf(data, field);
  if (member === undefined) return idsIn(top);
  return listOf(top).flatMap((holder) => idsIn(memberOf(holder, member)));
}

function idsIn(value: Json | undefined): readonly string[] {
  return listOf(value).filter((id) => typeof id === "string");
}

function listOf(value: Json | undefined): readonly (Json | undefined)[] {
  return Array.isArray(value) ? value : [value];
}

function memberOf(holder: Json | undefined, name: string): Json | undefined {
  return isPlainObject(holder) && Object.hasOwn(holder, name) ? (holder as JsonObject)[name] : undefined;
}
