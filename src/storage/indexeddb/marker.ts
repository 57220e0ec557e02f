/** The marker lies in localStorage: another file than the database, which corruption, and a lone deletion, do not take along. */
import type { StorageMarker } from "../../client/ports/storage.ts";
import { nextTask } from "../../shared/next-task.ts";
import { tryTo } from "./open.ts";

const keyOf = (name: string) => `tillsync:${name}`;
/** Not in workers, nor in Node; where site data is blocked, asking for it throws. */
const place = () => (globalThis as { localStorage?: Storage }).localStorage;

/** What is to be written, by store: only the last of what is said in one breath. */
const unwritten = new Map<string, string>();

export const marker: StorageMarker = {
  read(name) {
    if (unwritten.has(name)) return unwritten.get(name);
    let text: string | null | undefined;
    tryTo(() => {
      text = place()?.getItem(keyOf(name));
    });
    return text ?? undefined;
  },
  write(name, text) {
    // The place is synchronous and slow, and a sale does not wait for it. A tab that ends before hides the loss of its last sale from
    // the next start, and invents none.
    if (!unwritten.has(name)) {
      nextTask(() => {
        const last = unwritten.get(name);
        unwritten.delete(name);
        if (last !== undefined) tryTo(() => place()?.setItem(keyOf(name), last));
      });
    }
    unwritten.set(name, text);
  },
};

/** With a store that is deleted on purpose. */
export function removeMarker(name: string): void {
  unwritten.delete(name);
  tryTo(() => place()?.removeItem(keyOf(name)));
}
