/**
 * Makes Chromium's LevelDB fold its log into its tables, once after each opening but the first.
 *
 * A kill may cut the log's last record. The next start ignores that record and writes on behind it, in the same log; the start after
 * that finds a wrong checksum in the middle, and Chromium deletes every database of the site. A log that was folded away before is read
 * by nobody. (https://github.com/google/leveldb/issues/1287, docs/decisions/compacted-log.md)
 */
import { tryTo } from "./open.ts";
import { estimateSpace } from "./space.ts";
import { LAYOUT } from "./upgrade.ts";

const FOLD = "~fold";
/** In a store that was opened before: one that is new has nothing behind which a record could have been cut. */
const OPENED = "~opened";
/** What LevelDB collects before it folds is 4 MiB or less; of one value it keeps only up to 64 KiB in the log. */
const RECORDS = 160;
const RECORD_BYTES = 32_768;
/** Where there is less than that, a sale needs it more. */
const ROOM_BYTES = 64 * 1_024 * 1_024;

/** In the background, and for nobody's sake now: where it fails, all is as it would be without it. */
export async function compactLog(database: IDBDatabase): Promise<void> {
  if (!isChromium()) return; // the others keep their databases in SQLite
  const { usedBytes = 0, quotaBytes = Number.POSITIVE_INFINITY } = await estimateSpace();
  if (quotaBytes - usedBytes < ROOM_BYTES) return;
  tryTo(() => {
    const transaction = database.transaction(LAYOUT, "readwrite", { durability: "relaxed" });
    const store = transaction.objectStore(LAYOUT);
    store.count(OPENED).onsuccess = ({ target }) => {
      const isNew = (target as IDBRequest<number>).result === 0;
      if (isNew) store.put(true, OPENED);
      else write(store);
    };
  });
}

function write(store: IDBObjectStore): void {
  const record = crypto.getRandomValues(new Uint8Array(RECORD_BYTES));
  for (let written = 0; written < RECORDS; written += 1) {
    store.put(record, FOLD).onerror = (event) => event.preventDefault();
  }
  store.delete(FOLD);
}

function isChromium(): boolean {
  const { navigator } = globalThis as { navigator?: { readonly userAgent?: string } };
  return /Chrom/.test(navigator?.userAgent ?? "");
}
