/**
 * Space that is taken while there is plenty, and released when the platform grants no more. So selling continues when
 * the disk is full, and only work that can be repeated later stops.
 *
 * The real quota is found only by exceeding it: Chromium's `estimate()` returns "used + 10 GiB" whatever the quota is,
 * to prevent fingerprinting.
 */

import { wrap } from "idb";
import { nameOf } from "./failures.ts";
import { LAYOUT } from "./upgrade.ts";

export interface Reserve {
  /** The platform has refused space, and the reserve could not be taken again since. */
  isFull(): boolean;
  /** Takes the reserve, or takes it again, if there is room for it. Never rejects. */
  keep(database: IDBDatabase): Promise<void>;
  /** Releases the reserve. `false`: there was none left. */
  spend(database: IDBDatabase): Promise<boolean>;
  /** The platform refused space to work that may not use the reserve. */
  refused(): void;
}

const RESERVE = "~reserve";
/** The most that one call of `getRandomValues` fills. */
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
        // Without a reserve, the write only tested whether there is room again.
        if (bytes === 0) await write(database, (store) => store.delete(RESERVE));
        isFull = false;
      } catch (error) {
        // Any other failure says nothing about space. The calls that need the database get it; a missing reserve stops
        // none of them.
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
