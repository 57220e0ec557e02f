/** The order of the collections for a pull: referenced ones first. */
import type { ResolvedCollections } from "./collections.ts";

/**
 * Collection names, each after those that it references. In a circle of references no such order exists: the collection
 * that the map names first is then the last of its circle. The same map always gives the same order.
 */
export function syncOrder(collections: ResolvedCollections): readonly string[] {
  const ordered = new Set<string>();
  const entered = new Set<string>();
  for (const name of Object.keys(collections)) place(name);
  return [...ordered];

  function place(name: string): void {
    // If it was entered and is not ordered yet, this closes a circle.
    if (entered.has(name)) return;
    entered.add(name);
    for (const { collection } of collections[name]?.references ?? []) place(collection);
    ordered.add(name);
  }
}
