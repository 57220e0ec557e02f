/**
 * Index keys and their order. It is the order of IndexedDB, so that every storage adapter returns the rows of a query
 * in the same order.
 *
 *   numbers  <  strings (by UTF-16 code units)  <  arrays (element by element, then by length)
 */

/** A key of an index. Dates and binary data are keys of IndexedDB, too; tillsync stores JSON and has neither. */
export type Key = number | string | readonly Key[];

/** A range of keys. */
export interface KeyRange {
  /** The lowest key; if omitted, the range has no lower end. */
  readonly lower?: Key | undefined;
  /** Whether `lower` itself is outside of the range. @default false */
  readonly lowerOpen?: boolean | undefined;
  /** The highest key; if omitted, the range has no upper end. */
  readonly upper?: Key | undefined;
  /** Whether `upper` itself is outside of the range. @default false */
  readonly upperOpen?: boolean | undefined;
}

/** Far deeper than the keys of any index. Without a bound a cyclic array would recurse forever. */
const MAX_KEY_DEPTH = 32;

/** Whether IndexedDB would accept the value as a key. Infinities are keys, NaN is not. */
export function isKey(value: unknown): value is Key {
  return isKeyAt(value, 0);
}

function isKeyAt(value: unknown, depth: number): boolean {
  if (typeof value === "number") return !Number.isNaN(value);
  // The spread turns holes, which `every` skips, into `undefined`, which is no key.
  return Array.isArray(value)
    ? depth < MAX_KEY_DEPTH && [...value].every((part) => isKeyAt(part, depth + 1))
    : typeof value === "string";
}

/** Negative, zero or positive, as `Array.prototype.sort` expects. Agrees with `indexedDB.cmp`; -0 equals 0. */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a === "object" && typeof b === "object") {
    const common = Math.min(a.length, b.length);
    for (let at = 0; at < common; at++) {
      const order = compareKeys(a[at] as Key, b[at] as Key);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  // `<` on strings compares UTF-16 code units, which is IndexedDB's order. `localeCompare` isn't.
  return typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : rank(a) - rank(b);
}

function rank(key: Key): number {
  return typeof key === "number" ? 0 : typeof key === "string" ? 1 : 2;
}

export function inRange(key: Key, { lower, lowerOpen, upper, upperOpen }: KeyRange): boolean {
  const above = lower === undefined ? 1 : compareKeys(key, lower);
  const below = upper === undefined ? 1 : compareKeys(upper, key);
  return (above > 0 || (above === 0 && !lowerOpen)) && (below > 0 || (below === 0 && !upperOpen));
}

/**
 * All array keys that start with `prefix`, including the prefix itself. Arrays sort above all numbers and strings, so
 * `[...prefix, []]` is above every key whose next element is a number or a string, and below every key with a greater
 * prefix. Keys whose next element is an array are outside: no index of tillsync has such keys.
 */
export function prefixRange(prefix: readonly Key[]): KeyRange {
  return { lower: prefix, upper: [...prefix, []], upperOpen: true };
}

/**
 * All strings that start with `prefix`. With `within`: all array keys that start with these parts, followed by such a
 * string, whatever follows it.
 *
 * The upper bound is the least string that is greater than all of them. The usual `prefix + "\uffff"` misses strings
 * that have U+FFFF there.
 */
export function stringPrefixRange(prefix: string, within?: readonly Key[]): KeyRange {
  const bound = (key: Key): Key => (within === undefined ? key : [...within, key]);
  return { lower: bound(prefix), upper: bound(successor(prefix)), upperOpen: true };
}

/** The least key above all strings that start with `prefix`. May end in a lone surrogate. */
function successor(prefix: string): Key {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const unit = prefix.charCodeAt(last);
    if (unit < 0xffff) return prefix.slice(0, last) + String.fromCharCode(unit + 1);
  }
  return [];
}
