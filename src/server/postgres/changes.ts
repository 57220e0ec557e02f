/** The change feed: rows as they now are, and departures from the reader's scopes. */
import type { FeedPage, StoreReads } from "../ports/store.ts";
import { FEED_ROW_BYTES, feedPage } from "../sql/feed-page.ts";
import type { ReadPlan } from "./connection.ts";
import { PartitionedFeed } from "./partitioned-feed.ts";
import { arrayOf } from "./table.ts";
import { departures, feedRows } from "./tables.ts";

const COUNT_LIMIT = 1_000_000;

const feed = new PartitionedFeed({
  table: feedRows,
  group: "collection",
  part: "scope",
  position: "version",
  only: "t.state <> 'stub'",
  size: FEED_ROW_BYTES,
});

const PARTS = "with parts (part) as (select distinct unnest($6::text[]))";

/**
 * A row that moved from one of the reader's scopes to another has not left the reader. Without this condition, the page
 * would hold "here it is" and "drop it" at the same version. (`coalesce` keeps the planner from using the index of the
 * feed, with which it would scan a whole scope to find one id.)
 */
const HAS_LEFT = `
  from departures d where d.tenant = $1 and d.collection = $2 and d.scope = parts.part
  and d.version > $3::bigint and d.version <= $4::bigint
  and not exists (
    select 1 from records r where r.tenant = $1 and r.collection = d.collection and r.id = d.id
    and coalesce(r.state, 'stub') <> 'stub' and r.scope = any($6::text[]) offset 0)`;

/** The version of the last record of a full page. Departures after it belong to the next page: each is read once. */
const END_OF_PAGE = `select coalesce((select h.version from parts cross join lateral (
  select r.version from records r where r.tenant = $1 and r.collection = $2 and r.state <> 'stub' and r.scope = parts.part
  and r.version > $3::bigint and r.version <= $4::bigint order by r.version limit $5::bigint) h
  order by h.version offset greatest($5::bigint - 1, 0) limit 1), $4::bigint)`;

const DEPARTED = `${PARTS} select ${departures.selection("page")} from parts cross join lateral (
  select d.* ${HAS_LEFT} and d.version <= (${END_OF_PAGE})
  order by d.version limit $5::bigint) page order by page.version limit $5::bigint`;
const COUNT_DEPARTED = `${PARTS} select count(*) from (select 1 from parts cross join lateral (
  select 1 ${HAS_LEFT} limit $5::bigint) d limit $5::bigint) counted`;

export function planChanges(tenant: string, request: StoreReads["changes"]["request"]): ReadPlan {
  const { collection, scopes, after, upTo, limit } = request;
  const statements = [feed.page(tenant, collection, scopes, request)];
  const decode: ReadPlan["decode"] = ([rows = [], left = []]): FeedPage =>
    feedPage(feed.decode(rows), departures.decode(left), { limit, isFull: feed.isFull(rows, request) });
  if (scopes === "all") return { statements, decode };

  const values = [tenant, collection, String(after), String(upTo), String(limit), arrayOf(scopes)];
  return { statements: [...statements, { text: DEPARTED, values }], decode };
}

export function planCountChanges(tenant: string, request: StoreReads["countChanges"]["request"]): ReadPlan {
  const { collection, scopes, after, upTo } = request;
  const count = feed.count(tenant, collection, scopes, { after, upTo, limit: COUNT_LIMIT });
  const total: ReadPlan["decode"] = (counts) =>
    Math.min(
      COUNT_LIMIT,
      counts.reduce((sum, rows) => sum + Number(rows[0]?.[0] ?? 0), 0),
    );
  if (scopes === "all") return { statements: [count], decode: total };
  const values = [tenant, collection, String(after), String(upTo), String(COUNT_LIMIT), arrayOf(scopes)];
  return { statements: [count, { text: COUNT_DEPARTED, values }], decode: total };
}
