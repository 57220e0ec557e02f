/** Builds a page of the feed from records and the departures between them. */

import type { DepartureRow, FeedRow } from "../ports/rows.ts";
import type { FeedEntry, FeedPage } from "../ports/store.ts";

/** The size of a record in a page. PostgreSQL and SQLite know the length of a text without reading the text. */
export const FEED_ROW_BYTES = "octet_length(t.data) + octet_length(t.counters)";

/**
 * @param records from the start of the page, ascending
 * @param departures ascending
 * @param options `limit`: the largest number of entries; `isFull`: the records end because of the bytes of the page, so
 * departures after the last record belong to the next page
 */
export function feedPage(
  records: readonly FeedRow[],
  departures: readonly DepartureRow[],
  { limit, isFull }: { readonly limit: number; readonly isFull: boolean },
): FeedPage {
  const end = isFull ? (records.at(-1)?.version ?? 0) : Number.POSITIVE_INFINITY;
  const left = departures.filter(({ version }) => version <= end);
  let entries = records.map((row): FeedEntry => ({ kind: "record", row }));
  if (left.length > 0) {
    const leavings = left.map((row): FeedEntry => ({ kind: "departure", row }));
    entries = [...entries, ...leavings].sort((a, b) => a.row.version - b.row.version).slice(0, limit);
  }
  return { entries, more: isFull || entries.length >= limit };
}
