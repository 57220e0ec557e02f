/** Where a scan begins and ends, in the terms of IndexedDB. */
import type { KeyRange, ScanOptions } from "../../client/ports/storage.ts";
import { compareKeys, inRange } from "../../shared/keys.ts";

/** `undefined`: everything. `"empty"`: nothing can be in it, which IndexedDB would answer with an exception. */
export type NativeRange = IDBKeyRange | undefined | "empty";

export function nativeRange({ lower, lowerOpen = false, upper, upperOpen = false }: KeyRange = {}): NativeRange {
  if (lower === undefined) return upper === undefined ? undefined : IDBKeyRange.upperBound(upper, upperOpen);
  if (upper === undefined) return IDBKeyRange.lowerBound(lower, lowerOpen);
  const order = compareKeys(lower, upper);
  if (order > 0 || (order === 0 && (lowerOpen || upperOpen))) return "empty";
  return IDBKeyRange.bound(lower, upper, lowerOpen, upperOpen);
}

/** The range without what lies before the `after` entry. In an index its key stays in: further rows may have the same one. */
export function remainingRange({ index, range = {}, direction, after }: ScanOptions): KeyRange {
  const { lower, lowerOpen, upper, upperOpen } = range;
  const key = after?.key;
  const open = index === undefined;
  // A bound that leaves out the key leaves out more than it.
  if (key === undefined || !inRange(key, direction === "prev" ? { upper, upperOpen } : { lower, lowerOpen }))
    return range;
  return direction === "prev" ? { ...range, upper: key, upperOpen: open } : { ...range, lower: key, lowerOpen: open };
}
