/** References between collections: their paths, and the ids that a record holds under them. (schema) */

import { invalidOption } from "../shared/errors.ts";
import type { Json, JsonObject } from "../shared/json.ts";
import type { CollectionReference } from "./resolved.ts";

/** `a`, `a[]`, `a.b`, `a[].b`. No deeper: the compiler could not check it in reasonable time. */
const PATH = /^([^.[\]]+)(\[\])?(?:\.([^.[\]]+))?$/;

/** The option `references`, resolved. @throws TillSyncError `invalid_option` */
export function resolveReferences(references: unknown): readonly CollectionReference[] {
  if (references === undefined) return [];
  if (typeof references !== "object" || references === null || Array.isArray(references)) {
    throw invalidOption(
      "references",
      "an object from path to collection",
      references,
      'Write `{ customerId: "customers" }`.',
    );
  }
  const resolved = Object.entries(references).map(([path, collection]: [string, unknown]) => {
    if (!PATH.test(path)) {
      throw invalidOption(
        "references",
        "an object of paths",
        path,
        "A path is `field`, `field.member`, `list[]` or `list[].member`.",
      );
    }
    if (typeof collection !== "string" || collection === "") {
      throw invalidOption(
        `references[${JSON.stringify(path)}]`,
        "the name of a collection",
        collection,
        'Write `{ customerId: "customers" }`.',
      );
    }
    return Object.freeze({ path, collection });
  });
  return Object.freeze(resolved);
}

export interface ReferencedRecord {
  readonly collection: string;
  readonly id: string;
}

/** What a record points at, each once, in the order of the declarations. Nulls and absent members point at nothing. */
export function referencesIn(
  references: readonly CollectionReference[],
  data: JsonObject,
): readonly ReferencedRecord[] {
  const found = new Map<string, ReferencedRecord>();
  for (const { path, collection } of references) {
    for (const id of idsAt(path, data)) {
      // A collection's name has no space in it.
      const key = `${collection} ${id}`;
      if (!found.has(key)) found.set(key, { collection, id });
    }
  }
  return [...found.values()];
}

function idsAt(path: string, data: JsonObject): readonly string[] {
  const [, field = "", , member] = PATH.exec(path) ?? [];
  const top = memberOf(data, field);
  if (member === undefined) return idsIn(top);
  const holders = Array.isArray(top) ? top : [top];
  return holders.flatMap((holder: Json | undefined) => idsIn(memberOf(holder, member)));
}

function idsIn(value: Json | undefined): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((element: Json) => typeof element === "string") : [];
}

function memberOf(holder: Json | undefined, name: string): Json | undefined {
  if (typeof holder !== "object" || holder === null || !Object.hasOwn(holder, name)) return undefined;
  return (holder as JsonObject)[name];
}
