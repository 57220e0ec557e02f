/** The marker lies in localStorage: another file than the database, which corruption, and a lone deletion, do not take along. (storage/indexeddb) */
import type { StorageMarker } from "../../client/ports/storage.ts";
import { tryTo } from "./open.ts";

const keyOf = (name: string) => `tillsync:${name}`;
/** Not in workers, nor in Node; where site data is blocked, asking for it throws. */
const place = () => (globalThis as { localStorage?: Storage }).localStorage;

export const marker: StorageMarker = {
  read(name) {
    let text: string | null | undefined;
    tryTo(() => {
      text = place()?.getItem(keyOf(name));
    });
    return text ?? undefined;
  },
  write(name, text) {
    tryTo(() => place()?.setItem(keyOf(name), text));
  },
};

/** With a store that is deleted on purpose. */
export function removeMarker(name: string): void {
  tryTo(() => place()?.removeItem(keyOf(name)));
}
