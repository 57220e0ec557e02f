/** The keys under which an index finds a record. */
import type { Json, JsonObject } from "../shared/json.ts";
import type { Key } from "../shared/keys.ts";

/** One record has at most so many entries in one compound index: two arrays of a thousand would make a million. */
export const MAX_KEYS_PER_INDEX = 1_024;

/**
 * The keys of one record in one index: bare values for an index of one field, arrays for a compound one.
 *
 * - `id` may be a field of an index.
 * - An array field gives a key per distinct element. In a compound index it fans out; let at most one field be an array.
 *   Two multiply, and what goes beyond {@link MAX_KEYS_PER_INDEX} is not found by this index.
 * - Sparse: where a part is missing, null or no string or finite number, the record is not in the index. IndexedDB does
 *   the same, and the other adapters must not answer differently.
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

/** Changes when an index of the same name means something else: an adapter then builds it anew. */
export function indexSignature(fields: readonly string[]): string {
  return JSON.stringify(fields);
}

function partsOf(field: string, id: string, data: JsonObject): readonly (string | number)[] {
  const value: Json | undefined = field === "id" ? id : Object.hasOwn(data, field) ? data[field] : undefined;
  if (Array.isArray(value)) return [...new Set((value as readonly Json[]).filter(isPart))];
  return isPart(value) ? [value] : [];
}

function isPart(value: Json | undefined): value is string | number {
  return typeof value === "string" || (typeof value === "number" && Number.isFinite(value));
}
