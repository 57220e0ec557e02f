/**
 * Pages over feeds that are split into parts: a collection's rows by scope, a device's results by incarnation.
 *
 * Each part is a range of one index, read from `after` on and no further than the page; the parts are merged by
 * position. A reader of three hundred branches would read three hundred pages to return one. So if no parts are
 * named, the first entries of all parts are read first, and give the position after which nothing of this page can
 * lie.
 *
 * A page whose rows have a size ends, in the database, with the row that brings it to its bytes: what follows is not
 * sent.
 *
 * Parameters of the statements: $1 tenant, $2 group, $3 after (exclusive), $4 up to (inclusive), $5 limit; then the
 * parts, if they are named; then the bytes of a page.
 */
import type { Fields, Statement } from "./connection.ts";
import { arrayOf, type Columns } from "./table.ts";

export interface PageRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
  readonly limit: number;
  /** In a feed whose rows have a size: the page ends with the row that brings it to this many bytes. */
  readonly bytes?: number | undefined;
}

export interface PartitionedFeedDefinition<Row extends object> {
  readonly table: Columns<Row>;
  /** `group`, `part` and `position`: the columns of the index after `tenant`, in its order. */
  readonly group: string;
  readonly part: string;
  readonly position: string;
  /** The condition of the index, if it is a partial one. */
  readonly only?: string | undefined;
  /** An expression for the size of row `t`, in bytes. It must not need to read the documents that it measures. */
  readonly size?: string | undefined;
}

interface Texts {
  readonly page: string;
  readonly count: string;
}

/** From each part, up to this many times its fair share of the page is read: parts are seldom even. */
const UNEVENNESS = 4;

export class PartitionedFeed<Row extends object> {
  readonly #table: Columns<Row>;
  readonly #isSized: boolean;
  readonly #named: Texts;
  readonly #all: Texts;

  constructor({ table, group, part, position, only = "true", size }: PartitionedFeedDefinition<Row>) {
    this.#table = table;
    this.#isSized = size !== undefined;
    const inGroup = `from ${table.name} t where t.tenant = $1 and t.${group} = $2 and ${only}`;
    const inRange = `${inGroup} and t.${part} = parts.part and t.${position} > $3::bigint and t.${position} <= $4::bigint`;

    const listed = (columns: string, more: string) =>
      `select ${columns} from parts cross join lateral ` +
      `(select t.*, t.${position} as place, ${size ?? "0"} as size ${inRange}${more} order by t.${position} limit $5::bigint) page ` +
      "order by page.place limit $5::bigint";
    const merged = (more: string, bytes: string) =>
      size === undefined
        ? listed(table.selection("page"), more)
        : `select ${table.selection("page")}, page.total from (select page.*, sum(page.size) over (order by page.place rows unbounded preceding) ` +
          `as total from (${listed("page.*", more)}) page) page where page.total - page.size < ${bytes}::bigint order by page.place`;
    const counted =
      "select count(*) from (select 1 from parts cross join lateral " +
      `(select 1 ${inRange} limit $5::bigint) rest limit $5::bigint) counted`;

    const named = "with parts (part) as (select distinct unnest($6::text[]))";
    this.#named = { page: `${named} ${merged("", "$7")}`, count: `${named} ${counted}` };

    // One look-up per part, however many rows it has: `select distinct` would scan every row.
    const found =
      `with recursive found (part) as ((select t.${part} ${inGroup} order by t.${part} limit 1) union all ` +
      `select (select t.${part} ${inGroup} and t.${part} > found.part order by t.${part} limit 1) from found where found.part is not null), ` +
      "parts (part) as materialized (select part from found where part is not null)";
    const share = `(select least($5::bigint, 1 + ${UNEVENNESS} * $5::bigint / greatest(count(*), 1)) from parts)`;
    const heads =
      `heads (position) as materialized (select head.position from parts cross join lateral ` +
      `(select t.${position} as position ${inRange} order by t.${position} limit ${share}) head)`;
    // `coalesce` is here and not in the condition: under row-level security, an index is searched only by leakproof
    // functions.
    const bound =
      "bound (position) as materialized (select coalesce((select position from heads " +
      "order by position offset greatest($5::bigint - 1, 0) limit 1), $4::bigint))";
    const within = ` and t.${position} <= (select position from bound)`;
    this.#all = { page: `${found}, ${heads}, ${bound} ${merged(within, "$6")}`, count: `${found} ${counted}` };
  }

  page(tenant: string, group: string, parts: "all" | readonly string[], range: PageRange): Statement {
    return this.#statement("page", tenant, group, parts, range);
  }

  decode(rows: readonly Fields[]): readonly Row[] {
    return this.#table.decode(rows);
  }

  /** Whether a page of a sized feed ended because of its bytes. The sum is selected after the columns. */
  isFull(rows: readonly Fields[], { bytes = Number.POSITIVE_INFINITY }: PageRange): boolean {
    const total = rows.at(-1)?.at(-1) ?? undefined;
    return total !== undefined && Number(total) >= bytes;
  }

  /** Stops counting at `limit`. */
  count(tenant: string, group: string, parts: "all" | readonly string[], range: PageRange): Statement {
    return this.#statement("count", tenant, group, parts, range);
  }

  #statement(
    kind: keyof Texts,
    tenant: string,
    group: string,
    parts: "all" | readonly string[],
    { after, upTo, limit, bytes }: PageRange,
  ): Statement {
    const values = [tenant, group, String(after), String(upTo), String(limit)];
    if (parts !== "all") values.push(arrayOf(parts));
    if (kind === "page" && this.#isSized) values.push(String(Math.max(1, bytes ?? Number.MAX_SAFE_INTEGER)));
    return { text: (parts === "all" ? this.#all : this.#named)[kind], values };
  }
}
