/**
 * Space that is taken while there is plenty, and given back when the platform gives no more: so that selling goes on when the disk is
 * full, and only what can be had again stops.
 *
 * The quota is known only by running into it: Chromium's `estimate()` says "used + 10 GiB" whatever the quota is, so that sites can't be
 * told apart by it.
 */

import { wrap } from "idb";
import { nameOf } from "./failures.ts";
import { LAYOUT } from "./upgrade.ts";

export interface Reserve {
  /** The platform has refused space, and the reserve could not be put back since. */
  isFull(): boolean;
  /** Puts the reserve (back) in its place, if there is room for it. Never rejects. */
  keep(database: IDBDatabase): Promise<void>;
  /** Gives its space to whoever needs it. `false`: there was none left. */
  spend(database: IDBDatabase): Promise<boolean>;
  /** Work that has no right to the reserve was refused. */
  refused(): void;
}

const RESERVE = "~reserve";
/** What one call gives. */
const CHUNK = 65_536;

export function createReserve(bytes: number): Reserve {
  let isFull = false;
  return {
    isFull: () => isFull,
    refused() {
      isFull = true;
    },
    async keep(database) {
      if (bytes === 0 && !isFull) return;
      try {
        const kept = await wrap(database.transaction(LAYOUT).objectStore(LAYOUT).getKey(RESERVE));
        if (kept === undefined) await write(database, (store) => store.put(incompressible(bytes || CHUNK), RESERVE));
        // Without a reserve it was only to see whether there is room again.
        if (bytes === 0) await write(database, (store) => store.delete(RESERVE));
        isFull = false;
      } catch (error) {
        // Any other failure says nothing of space. Whoever needs the database is told of it; for want of a reserve nobody is kept from it.
        if (nameOf(error) === "QuotaExceededError") isFull = true;
      }
    },
    async spend(database) {
      isFull = true;
      const kept = await wrap(database.transaction(LAYOUT).objectStore(LAYOUT).getKey(RESERVE));
      if (kept === undefined) return false;
      await write(database, (store) => store.delete(RESERVE));
      return true;
    },
  };
}

function write(database: IDBDatabase, work: (store: IDBObjectStore) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(LAYOUT, "readwrite", { durability: "relaxed" });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("It was aborted", "AbortError"));
    work(transaction.objectStore(LAYOUT));
    transaction.commit();
  });
}

/** Engines compress what they store: zeros would reserve nothing. */
function incompressible(bytes: number): Uint8Array {
  const filled = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += CHUNK) crypto.getRandomValues(filled.subarray(at, Math.min(at + CHUNK, bytes)));
  return filled;
}
