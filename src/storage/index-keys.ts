/** The keys under which a row is found in an index. */
import type { IndexLayout, Key } from "../client/ports/storage.ts";
import { compareKeys, isKey } from "../shared/keys.ts";

const NONE: readonly Key[] = [];

/**
 * As IndexedDB treats them in a multi-entry index: values that are not keys are left out, and equal keys are one entry.
 */
export function indexKeys(index: IndexLayout, value: unknown): readonly Key[] {
  const keys = index.keys(value);
  if (keys.length === 0) return NONE;
  return keys.filter((key, at) => isKey(key) && (at === 0 || !includesKey(keys.slice(0, at), key)));
}

export function includesKey(keys: readonly Key[], wanted: Key): boolean {
  return keys.some((key) => compareKeys(key, wanted) === 0);
}
