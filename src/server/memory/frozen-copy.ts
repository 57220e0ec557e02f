/** What is stored belongs to the store alone. */

/**
 * A copy as JSON would give it back (members that are `undefined` are left out, -0 becomes 0), frozen all the way down.
 *
 * A frozen object is taken as it is: it came from the store, and a decision that spread a row into the next one shares most
 * of it. Whoever freezes must freeze all of a value, as `deepFreeze` does.
 */
export function frozenCopy<T>(value: T): T;
export function frozenCopy(value: unknown): unknown {
  if (typeof value === "number") return value + 0;
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map((element) => frozenCopy(element)));
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined) copy[key] = frozenCopy(member);
  }
  return Object.freeze(copy);
}
