/** The copy of a value that a store keeps. */

/**
 * A deep copy, frozen: later changes by the writer don't reach the store, and every reader can get the same object.
 * Several times faster than `structuredClone` for the plain data that tillsync stores. `structuredClone` copies what is
 * not plain (a Date, a typed array); it throws for what can't be cloned, as IndexedDB does.
 */
export function frozenCopy<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) {
    return typeof value === "function" || typeof value === "symbol" ? structuredClone(value) : value;
  }
  if (Array.isArray(value)) return Object.freeze(Array.from(value, copy));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return structuredClone(value);
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const part = copy((value as Record<string, unknown>)[key]);
    // An assignment to this name would set the prototype.
    if (key === "__proto__") Object.defineProperty(result, key, { value: part, enumerable: true });
    else result[key] = part;
  }
  return Object.freeze(result);
}
