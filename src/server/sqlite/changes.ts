/** The change feed: rows as they now are, and departures from the reader's scopes. */

import type { DepartureRow } from "../ports/rows.ts";
import type { FeedPage, StoreReads } from "../ports/store.ts";
import { FEED_ROW_BYTES, feedPage } from "../sql/feed-page.ts";
import type { Connection } from "./connection.ts";
import { mergeParts, PartitionedFeed } from "./partitioned-feed.ts";
import { departures, feedRows } from "./tables.ts";

const COUNT_LIMIT = 1_000_000;

const feed = new PartitionedFeed({
  table: feedRows,
  group: "collection",
  part: "scope",
  position: "version",
  only: "state <> 'stub'",
  size: FEED_ROW_BYTES,
});

/**
 * A row that moved from one of the reader's scopes to another has not left the reader. Without this condition, the page
 * would hold "here it is" and "drop it" at the same version.
 */
const HAS_LEFT = `
  from departures d where d.tenant = ? and d.collection = ? and d.scope = ? and d.version > ? and d.version <= ?
  and not exists (
    select 1 from records r where r.tenant = d.tenant and r.collection = d.collection and r.id = d.id
    and r.state <> 'stub' and r.scope in (select value from json_each(?)))`;
const DEPARTED = `select ${departures.selection("d")}, d.version as position ${HAS_LEFT} order by d.version limit ?`;
const COUNT_DEPARTED = `select count(*) as count from (select 1 ${HAS_LEFT} limit ?)`;

export function readChanges(
  connection: Connection,
  tenant: string,
  request: StoreReads["changes"]["request"],
): FeedPage {
  const { collection, scopes, after, limit } = request;
  const { rows, isFull } = feed.page(connection, tenant, collection, scopes, request);
  if (scopes === "all") return feedPage(rows, [], { limit, isFull });

  // Departures after a full page of records belong to the next page: each is read once, however many rows moved.
  const upTo = rows.length < limit && !isFull ? request.upTo : (rows.at(-1)?.version ?? request.upTo);
  const names = JSON.stringify(scopes);
  const left = mergeParts([...new Set(scopes)], { after, upTo, limit }, (scope, range) =>
    connection
      .all(DEPARTED, tenant, collection, scope, range.after, range.upTo, names, range.limit)
      .map((row) => ({ ...(row as unknown as DepartureRow), position: row.position as number })),
  );
  const departed = left.map(({ position: _, ...row }): DepartureRow => row);
  return feedPage(rows, departed, { limit, isFull });
}

export function countChanges(
  connection: Connection,
  tenant: string,
  request: StoreReads["countChanges"]["request"],
): number {
  const { collection, scopes, after, upTo } = request;
  let count = feed.count(connection, tenant, collection, scopes, { after, upTo, limit: COUNT_LIMIT });
  if (scopes === "all") return count;
  const names = JSON.stringify(scopes);
  for (const scope of new Set(scopes)) {
    if (count >= COUNT_LIMIT) break;
    const counted = connection.all(COUNT_DEPARTED, tenant, collection, scope, after, upTo, names, COUNT_LIMIT - count);
    count += Number(counted[0]?.count ?? 0);
  }
  return count;
}
