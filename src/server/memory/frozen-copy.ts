/** Law: what is stored belongs to the store alone. No caller shares a mutable object with it. */

/**
 * A copy as JSON would return it (members that are `undefined` are left out, -0 becomes 0), deeply frozen.
 *
 * An object that is already frozen is not copied: it came from the store, and a decision that spreads a row into its
 * next version shares most of it. So a caller that freezes a value must freeze it deeply, as `deepFreeze` does.
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
