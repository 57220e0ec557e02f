/**
 * Keeps the marker in localStorage: a different file from the database, which survives if only the database is
 * corrupted or deleted.
 */
import type { StorageMarker } from "../../client/ports/storage.ts";
import { nextTask } from "../../shared/next-task.ts";
import { tryTo } from "./try-to.ts";

const keyOf = (name: string) => `tillsync:${name}`;
/** Missing in workers and in Node; if site data is blocked, reading the property throws. */
const platformStorage = () => (globalThis as { localStorage?: Storage }).localStorage;

/** What is still to be written, by store: of several writes in one task, only the last. */
const unwritten = new Map<string, string>();

export const marker: StorageMarker = {
  read(name) {
    if (unwritten.has(name)) return unwritten.get(name);
    let text: string | null | undefined;
    tryTo(() => {
      text = platformStorage()?.getItem(keyOf(name));
    });
    return text ?? undefined;
  },
  write(name, text) {
    // localStorage is synchronous and slow, and a sale must not wait for it. If the tab ends before it is written, the
    // next start can miss the loss of the last sale; it never reports a loss that did not happen.
    if (!unwritten.has(name)) {
      nextTask(() => {
        const last = unwritten.get(name);
        unwritten.delete(name);
        if (last !== undefined) tryTo(() => platformStorage()?.setItem(keyOf(name), last));
      });
    }
    unwritten.set(name, text);
  },
};

/** For a store that is deleted on purpose. */
export function removeMarker(name: string): void {
  unwritten.delete(name);
  tryTo(() => platformStorage()?.removeItem(keyOf(name)));
}
