/** The order in which collections are pulled and sent: what is referenced comes first. */
import type { ResolvedCollections } from "./collections.ts";

/**
 * Collection names, each after those that it references. Where references run in a circle no such order exists: then
 * the one named first in the map comes last of its circle. The same map always gives the same order.
 */
export function syncOrder(collections: ResolvedCollections): readonly string[] {
  const ordered = new Set<string>();
  const entered = new Set<string>();
  for (const name of Object.keys(collections)) place(name);
  return [...ordered];

  function place(name: string): void {
    // Entered and not yet ordered: a circle, and this is where it closes.
    if (entered.has(name)) return;
    entered.add(name);
    for (const { collection } of collections[name]?.references ?? []) place(collection);
    ordered.add(name);
  }
}
