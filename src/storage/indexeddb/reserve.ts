/**
 * Space that is taken while there is plenty, and released when the platform grants no more. So selling continues when
 * the disk is full, and only work that can be repeated later stops.
 *
 * - The reserve is a database of its own, and is released by deleting it: in Firefox and WebKit a database's file never
 *   shrinks, and WebKit counts files. (docs/decisions/reserve-database.md)
 * - The store is full from the first refusal on, until there is room again beside the reserve. That is found out by
 *   taking the room for a moment: the quota is known only by exceeding it, since Chromium's `estimate()` returns "used
 *   + 10 GiB" whatever the quota is.
 * - Each time, there must be twice as much room as the time before. So a store that is refused what is larger than that
 *   room can't go on changing between full and not.
 */

import { wrap } from "idb";
import { nameOf } from "./failures.ts";
import { deleteDatabase, type StoreConfig, whenAborted } from "./open.ts";
import { tryTo } from "./try-to.ts";
import { LAYOUT } from "./upgrade.ts";

export interface Reserve {
  /** The platform has refused space, and there was no room again since. */
  isFull(): boolean;
  /** Takes the reserve, or takes it again, if there is room for it. Never rejects. */
  keep(database: IDBDatabase): Promise<void>;
  /** Releases the reserve. `false`: there was none left. */
  spend(): Promise<boolean>;
  /** The platform refused space to work that may not use the reserve. */
  refused(): void;
  /** Deletes it, with the store. */
  destroy(): Promise<unknown>;
}

const RESERVE = "~reserve";
const PROBE = "~probe";
/** The most that one call of `getRandomValues` fills. */
const CHUNK = 65_536;

export function createReserve(config: StoreConfig): Reserve {
  const { name, reserveBytes } = config;
  /** Whether there was a refusal since the store was last looked at. */
  let isRefused = false;
  let isFull = false;
  /** What must be free beside the reserve before the store is no longer full. */
  let roomBytes = reserveBytes || CHUNK;
  let isMoved = false;

  const release = (what: string) => deleteDatabase(config, name + what);
  const releaseAll = async () => (await Promise.all([release(RESERVE), release(PROBE)])).includes(true);
  const refused = () => {
    isRefused = isFull = true;
  };
  return {
    isFull: () => isFull,
    refused,
    async keep(database) {
      isRefused = false;
      try {
        if (!isMoved) await removeFormer(database);
        isMoved = true;
        if (reserveBytes > 0) await take(config, RESERVE, reserveBytes);
        if (!isFull) return;
        // What a crash may have left proves nothing.
        await release(PROBE);
        await take(config, PROBE, roomBytes);
        await release(PROBE);
        if (isRefused) return;
        roomBytes *= 2;
        isFull = false;
      } catch (error) {
        // Any other failure says nothing about space. The calls that need the database get it; a missing reserve stops
        // none of them.
        if (nameOf(error) === "QuotaExceededError") isFull = true;
      }
    },
    async spend() {
      refused();
      return await releaseAll();
    },
    destroy: releaseAll,
  };
}

/** Makes the database with so many bytes in it, in one transaction; if there is one, it is complete. */
function take({ factories, name }: StoreConfig, what: string, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const opening = factories.current().open(name + what, 1);
    opening.onupgradeneeded = () => {
      const transaction = opening.transaction as IDBTransaction;
      whenAborted(transaction, reject);
      try {
        opening.result.createObjectStore(what).put(incompressible(bytes), what);
      } catch (error) {
        reject(error);
        tryTo(() => transaction.abort());
      }
    };
    opening.onerror = (event) => {
      event.preventDefault();
      reject(opening.error);
    };
    opening.onsuccess = () => {
      opening.result.close();
      resolve();
    };
  });
}

/** Older versions had the reserve in the till's own database. */
async function removeFormer(database: IDBDatabase): Promise<void> {
  const transaction = database.transaction(LAYOUT, "readwrite", { durability: "relaxed" });
  await wrap(transaction.objectStore(LAYOUT).delete(RESERVE));
}

/** Engines compress what they store: zeros would reserve nothing. */
function incompressible(bytes: number): Uint8Array {
  const filled = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += CHUNK) crypto.getRandomValues(filled.subarray(at, Math.min(at + CHUNK, bytes)));
  return filled;
}
