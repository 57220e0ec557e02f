/**
 * Pages over feeds that are split into parts: a collection's rows by scope, a device's results by incarnation. (server/postgres)
 *
 * Each part is a stretch of one index, read from the position on and no further than the page; the parts are merged by
 * position. A reader of three hundred branches would read three hundred pages to answer one: where nobody has named the parts,
 * the heads of all of them are looked at first, and give the position behind which nothing of this page can lie.
 *
 * Parameters of the statements: $1 tenant, $2 group, $3 after (exclusive), $4 up to (inclusive), $5 limit, $6 the named parts.
 */
import type { Fields, Statement } from "./connection.ts";
import { arrayOf, type Columns } from "./table.ts";

export interface PageRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
  readonly limit: number;
}

export interface PartitionedFeedDefinition<Row extends object> {
  readonly table: Columns<Row>;
  /** The columns of the index behind `tenant`, in its order. */
  readonly group: string;
  readonly part: string;
  readonly position: string;
  /** The condition of the index where it is partial. */
  readonly only?: string | undefined;
}

interface Texts {
  readonly page: string;
  readonly count: string;
}

/** Heads of a part are looked at up to this many times its fair share of the page: parts are seldom even. */
const UNEVENNESS = 4;

export class PartitionedFeed<Row extends object> {
  readonly #table: Columns<Row>;
  readonly #named: Texts;
  readonly #all: Texts;

  constructor({ table, group, part, position, only = "true" }: PartitionedFeedDefinition<Row>) {
    this.#table = table;
    const inGroup = `from ${table.name} t where t.tenant = $1 and t.${group} = $2 and ${only}`;
    const inRange = `${inGroup} and t.${part} = parts.part and t.${position} > $3::bigint and t.${position} <= $4::bigint`;

    const merged = (more: string) =>
      `select ${table.selection("page")} from parts cross join lateral ` +
      `(select t.*, t.${position} as place ${inRange}${more} order by t.${position} limit $5::bigint) page order by page.place limit $5::bigint`;
    const counted =
      "select count(*) from (select 1 from parts cross join lateral " +
      `(select 1 ${inRange} limit $5::bigint) rest limit $5::bigint) counted`;

    const named = "with parts (part) as (select distinct unnest($6::text[]))";
    this.#named = { page: `${named} ${merged("")}`, count: `${named} ${counted}` };

    // One look-up per part, whatever it holds: `select distinct` would walk over every row.
    const found =
      `with recursive found (part) as ((select t.${part} ${inGroup} order by t.${part} limit 1) union all ` +
      `select (select t.${part} ${inGroup} and t.${part} > found.part order by t.${part} limit 1) from found where found.part is not null), ` +
      "parts (part) as materialized (select part from found where part is not null)";
    const share = `(select least($5::bigint, 1 + ${UNEVENNESS} * $5::bigint / greatest(count(*), 1)) from parts)`;
    const heads =
      `heads (position) as materialized (select head.position from parts cross join lateral ` +
      `(select t.${position} as position ${inRange} order by t.${position} limit ${share}) head)`;
    // `coalesce` is in here and not in the condition: what an index is searched by must not be able to leak, says row-level security.
    const bound =
      "bound (position) as materialized (select coalesce((select position from heads " +
      "order by position offset greatest($5::bigint - 1, 0) limit 1), $4::bigint))";
    const within = ` and t.${position} <= (select position from bound)`;
    this.#all = { page: `${found}, ${heads}, ${bound} ${merged(within)}`, count: `${found} ${counted}` };
  }

  page(tenant: string, group: string, parts: "all" | readonly string[], range: PageRange): Statement {
    return this.#statement("page", tenant, group, parts, range);
  }

  decode(rows: readonly Fields[]): readonly Row[] {
    return this.#table.decode(rows);
  }

  /** Stops at `limit`. */
  count(tenant: string, group: string, parts: "all" | readonly string[], range: PageRange): Statement {
    return this.#statement("count", tenant, group, parts, range);
  }

  #statement(
    kind: keyof Texts,
    tenant: string,
    group: string,
    parts: "all" | readonly string[],
    { after, upTo, limit }: PageRange,
  ): Statement {
    const values = [tenant, group, String(after), String(upTo), String(limit)];
    if (parts === "all") return { text: this.#all[kind], values };
    return { text: this.#named[kind], values: [...values, arrayOf(parts)] };
  }
}
