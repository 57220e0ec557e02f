/** The keys under which an index finds a record. */
import type { Json, JsonObject } from "../shared/json.ts";
import type { Key } from "../shared/keys.ts";

/** How many entries a record has at most in one compound index: two arrays of a thousand would make a million. */
export const MAX_KEYS_PER_INDEX = 1_024;

/**
 * The keys of one record in one index: bare values for an index of one field, arrays for a compound one.
 *
 * - `id` may be a field of an index.
 * - An array field gives a key for each distinct element, also in a compound index. At most one field of an index
 *   should be an array: the keys of two multiply, and those beyond {@link MAX_KEYS_PER_INDEX} are left out.
 * - Sparse: a record is not in the index if a part is missing, null, or neither a string nor a finite number. IndexedDB
 *   does the same, and the other adapters must behave like it.
 */
export function indexKeys(fields: readonly string[], id: string, data: JsonObject): readonly Key[] {
  const [only] = fields;
  if (fields.length === 1 && only !== undefined) return partsOf(only, id, data);
  let keys: readonly (readonly Key[])[] = [[]];
  for (const field of fields) {
    const parts = partsOf(field, id, data);
    keys = keys.flatMap((key) => parts.map((part) => [...key, part])).slice(0, MAX_KEYS_PER_INDEX);
  }
  return keys;
}

/** Differs if an index of the same name has other fields: an adapter then builds it again. */
export function indexSignature(fields: readonly string[]): string {
  return JSON.stringify(fields);
}

function partsOf(field: string, id: string, data: JsonObject): readonly (string | number)[] {
  const value: Json | undefined = field === "id" ? id : Object.hasOwn(data, field) ? data[field] : undefined;
  if (Array.isArray(value)) return [...new Set((value as readonly Json[]).filter(isPart))];
  return isPart(value) ? [value] : [];
}

function isPart(value: Json | undefined): value is string | number {
  return typeof value === "string" || Number.isFinite(value);
}
