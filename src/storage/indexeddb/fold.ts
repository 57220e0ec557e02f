/**
 * Makes Chromium's LevelDB fold its log into its tables, once after each opening. (storage/indexeddb)
 *
 * A kill may cut the log's last record. The next start ignores that record and writes on behind it, in the same log; the start after
 * that finds a wrong checksum in the middle, and Chromium deletes every database of the site. A log that was folded away before is read
 * by nobody. (https://github.com/google/leveldb/issues/1287)
 */
import { tryTo } from "./open.ts";
import { LAYOUT } from "./upgrade.ts";

const FOLD = "~fold";
/** What LevelDB collects before it folds is 4 MiB or less; of one value it keeps only up to 64 KiB in the log. */
const RECORDS = 160;
const RECORD_BYTES = 32_768;

/** In the background, and for nobody's sake now: where it fails, all is as it would be without it. */
export function foldLog(database: IDBDatabase): void {
  tryTo(() => {
    const transaction = database.transaction(LAYOUT, "readwrite", { durability: "relaxed" });
    const store = transaction.objectStore(LAYOUT);
    const record = crypto.getRandomValues(new Uint8Array(RECORD_BYTES));
    for (let written = 0; written < RECORDS; written += 1) {
      store.put(record, FOLD).onerror = (event) => event.preventDefault();
    }
    store.delete(FOLD);
    transaction.commit();
  });
}
