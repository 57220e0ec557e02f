/** The range of a scan as an IDBKeyRange. */
import type { KeyRange, ScanOptions } from "../../client/ports/storage.ts";
import { compareKeys, inRange } from "../../shared/keys.ts";

/** `undefined`: everything. `"empty"`: nothing can be in it; IndexedDB would throw for such a range. */
export type NativeRange = IDBKeyRange | undefined | "empty";

export function nativeRange({ lower, lowerOpen = false, upper, upperOpen = false }: KeyRange = {}): NativeRange {
  if (lower === undefined) return upper === undefined ? undefined : IDBKeyRange.upperBound(upper, upperOpen);
  if (upper === undefined) return IDBKeyRange.lowerBound(lower, lowerOpen);
  const order = compareKeys(lower, upper);
  if (order > 0 || (order === 0 && (lowerOpen || upperOpen))) return "empty";
  return IDBKeyRange.bound(lower, upper, lowerOpen, upperOpen);
}

/**
 * The range without what is before the `after` entry. In an index it includes the entry's key: other rows may have the
 * same key.
 */
export function remainingRange({ index, range = {}, direction, after }: ScanOptions): KeyRange {
  const { lower, lowerOpen, upper, upperOpen } = range;
  const key = after?.key;
  const open = index === undefined;
  // The range begins after the key already: its own bound is the narrower one.
  if (key === undefined || !inRange(key, direction === "prev" ? { upper, upperOpen } : { lower, lowerOpen }))
    return range;
  return direction === "prev" ? { ...range, upper: key, upperOpen: open } : { ...range, lower: key, lowerOpen: open };
}
