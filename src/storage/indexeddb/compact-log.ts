/**
 * Makes Chromium's LevelDB compact its log into its tables, once after each opening except the first.
 *
 * A kill can truncate the last record of the log. The next start ignores that record and appends to the same log; the
 * start after that finds a wrong checksum in the middle of it, and Chromium deletes every database of the site. After a
 * compaction LevelDB never reads the old log again.
 * (https://github.com/google/leveldb/issues/1287, docs/decisions/compacted-log.md)
 */
import { fromPlatform } from "../../shared/from-platform.ts";
import { estimateSpace } from "./space.ts";
import { tryTo } from "./try-to.ts";
import { LAYOUT } from "./upgrade.ts";

/** The key that is written to fill the log, and deleted again. */
const FILLER = "~filler";
/** Present if the store was opened before. The log of a new store has no truncated record. */
const OPENED = "~opened";
/** LevelDB compacts after at most 4 MiB; of one value, only up to 64 KiB are in the log. */
const RECORDS = 160;
const RECORD_BYTES = 32_768;
/** If less than this is free, sales need it more. */
const ROOM_BYTES = 64 * 1_024 * 1_024;

/** Runs in the background. If it fails, the store is as it would be without it. */
export async function compactLog(database: IDBDatabase): Promise<void> {
  if (!isChromium()) return; // other browsers keep their databases in SQLite
  const { usedBytes = 0, quotaBytes = Number.POSITIVE_INFINITY } = await estimateSpace();
  if (quotaBytes - usedBytes < ROOM_BYTES) return;
  tryTo(() => {
    const transaction = database.transaction(LAYOUT, "readwrite", { durability: "relaxed" });
    const store = transaction.objectStore(LAYOUT);
    store.count(OPENED).onsuccess = ({ target }) => {
      const isNew = (target as IDBRequest<number>).result === 0;
      if (isNew) store.put(true, OPENED);
      else tryTo(() => fillLog(store));
    };
  });
}

function fillLog(store: IDBObjectStore): void {
  const record = crypto.getRandomValues(new Uint8Array(RECORD_BYTES));
  for (let written = 0; written < RECORDS; written += 1) {
    store.put(record, FILLER).onerror = (event) => event.preventDefault();
  }
  store.delete(FILLER);
}

function isChromium(): boolean {
  const userAgent = fromPlatform((it: { navigator?: { readonly userAgent?: string } }) => it.navigator?.userAgent);
  return /Chrom/.test(userAgent ?? "");
}
