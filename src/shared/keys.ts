/**
 * Index keys and their order: the one that IndexedDB gives them, so that every storage adapter answers the same
 * query in the same order. (shared: imports nothing)
 *
 *   numbers  <  strings (by UTF-16 code units)  <  arrays (element by element, then by length)
 */

/** What may stand in an index. Dates and binary are keys of IndexedDB too; tillsync stores JSON and has neither. */
export type Key = number | string | readonly Key[];

/** A stretch of keys. A bound that is left out is open-ended; a bound is part of the range unless `…Open` says not. */
export interface KeyRange {
  readonly lower?: Key | undefined;
  readonly lowerOpen?: boolean | undefined;
  readonly upper?: Key | undefined;
  readonly upperOpen?: boolean | undefined;
}

/** Far deeper than any index nests; without a bound a cyclic array would never end. */
const MAX_KEY_DEPTH = 32;

/** Whether IndexedDB would take the value as a key. The infinities are keys, NaN is not. */
export function isKey(value: unknown): value is Key {
  return isKeyAt(value, 1);
}

function isKeyAt(value: unknown, depth: number): boolean {
  if (typeof value === "string") return true;
  if (typeof value === "number") return !Number.isNaN(value);
  if (!Array.isArray(value) || depth > MAX_KEY_DEPTH) return false;
  // By index: `every` skips holes, and a hole is no key.
  for (let index = 0; index < value.length; index++) {
    if (!isKeyAt(value[index], depth + 1)) return false;
  }
  return true;
}

/** Negative, zero or positive, as `Array.prototype.sort` wants it. The same answer as `indexedDB.cmp`; -0 equals 0. */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : a > b ? 1 : 0;
  // `<` on strings compares UTF-16 code units, which is IndexedDB's order. `localeCompare` isn't.
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "object" && typeof b === "object") return compareArrays(a, b);
  return rank(a) - rank(b);
}

function compareArrays(a: readonly Key[], b: readonly Key[]): number {
  const common = Math.min(a.length, b.length);
  for (let index = 0; index < common; index++) {
    const order = compareKeys(a[index] as Key, b[index] as Key);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function rank(key: Key): number {
  return typeof key === "number" ? 0 : typeof key === "string" ? 1 : 2;
}

export function inRange(key: Key, range: KeyRange): boolean {
  if (range.lower !== undefined) {
    const order = compareKeys(key, range.lower);
    if (order < 0 || (order === 0 && range.lowerOpen === true)) return false;
  }
  if (range.upper !== undefined) {
    const order = compareKeys(key, range.upper);
    if (order > 0 || (order === 0 && range.upperOpen === true)) return false;
  }
  return true;
}

/**
 * Every array key that starts with `prefix`, the prefix itself included. Arrays sort above all numbers and strings, so
 * `[...prefix, []]` is above every key whose next element is one of those, and below every key of another prefix.
 * A next element that is itself an array is outside: no index of tillsync makes such keys.
 */
export function prefixRange(prefix: readonly Key[]): KeyRange {
  return { lower: prefix, upper: [...prefix, []], upperOpen: true };
}

/**
 * Every string that starts with `prefix`. With `within`: every array key that starts with those parts and then with such
 * a string, whatever follows.
 *
 * The upper bound is the least string that is greater than all of them. The usual `prefix + "\uffff"` misses strings
 * that have U+FFFF there.
 */
export function stringPrefixRange(prefix: string, within?: readonly Key[]): KeyRange {
  const end = successor(prefix) ?? [];
  return within === undefined
    ? { lower: prefix, upper: end, upperOpen: true }
    : { lower: [...within, prefix], upper: [...within, end], upperOpen: true };
}

/** The least string above all that start with `prefix`; none where it is empty or all U+FFFF. May end in a lone surrogate. */
function successor(prefix: string): string | undefined {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const unit = prefix.charCodeAt(last);
    if (unit < 0xffff) return prefix.slice(0, last) + String.fromCharCode(unit + 1);
  }
  return undefined;
}
