/** Where a scan begins and ends, in the terms of IndexedDB. (storage/indexeddb) */
import type { Key, KeyRange, ScanOptions } from "../../client/ports/storage.ts";
import { compareKeys } from "../../shared/keys.ts";

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
  if (after === undefined) return range;
  const open = index === undefined;
  const { key } = after;
  return direction === "prev"
    ? narrows(range.upper, key, range.upperOpen, -1)
      ? range
      : { ...range, upper: key, upperOpen: open }
    : narrows(range.lower, key, range.lowerOpen, 1)
      ? range
      : { ...range, lower: key, lowerOpen: open };
}

/** Whether the bound of the range leaves out more than the key does. */
function narrows(bound: Key | undefined, key: Key, isOpen: boolean | undefined, sign: 1 | -1): boolean {
  if (bound === undefined) return false;
  const order = sign * compareKeys(bound, key);
  return order > 0 || (order === 0 && isOpen === true);
}
