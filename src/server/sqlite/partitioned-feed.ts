/**
 * Pages over feeds that are split into parts: a collection's rows by scope, a device's results by incarnation. (server/sqlite)
 *
 * Each part is a stretch of one index, read from `after` on and no further than the page. They are merged by position here:
 * every part that was read lowers the bound for the next, so that a reader of three hundred branches reads about seven
 * pages' worth of index entries and not three hundred. Documents are fetched for the rows of the page alone.
 */
import type { Connection } from "./connection.ts";
import type { SqliteValue } from "./driver.ts";
import type { Columns } from "./table.ts";

export interface PageRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
  readonly limit: number;
}

/** Up to `limit` entries, ascending by position. Parts that share a position come in the order of `parts`. */
export function mergeParts<Entry extends { readonly position: number }>(
  parts: readonly string[],
  { after, upTo, limit }: PageRange,
  page: (part: string, range: PageRange) => readonly Entry[],
): readonly Entry[] {
  let entries: readonly Entry[] = [];
  let bound = upTo;
  for (const part of parts) {
    const more = page(part, { after, upTo: bound, limit });
    if (more.length === 0) continue;
    entries =
      entries.length === 0 ? more : [...entries, ...more].sort((a, b) => a.position - b.position).slice(0, limit);
    const last = entries[limit - 1];
    if (last !== undefined) bound = last.position;
  }
  return entries;
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

export class PartitionedFeed<Row extends object> {
  readonly #table: Columns<Row>;
  readonly #parts: string;
  readonly #heads: string;
  readonly #rows: string;
  readonly #count: string;

  constructor({ table, group, part, position, only = "true" }: PartitionedFeedDefinition<Row>) {
    this.#table = table;
    const inGroup = `from ${table.name} where tenant = ? and ${group} = ? and ${only}`;
    const inRange = `${inGroup} and ${part} = ? and ${position} > ? and ${position} <= ?`;
    // One look-up per part, whatever it holds: `select distinct` would walk over every row.
    this.#parts =
      `with recursive parts (name) as (select (select min(${part}) ${inGroup}) union all ` +
      `select (select min(${part}) ${inGroup} and ${part} > parts.name) from parts where parts.name is not null) ` +
      "select name from parts where name is not null";
    this.#heads = `select ${position} as position, rowid as entry ${inRange} order by ${position} limit ?`;
    this.#rows = `select ${table.selection("t")} from json_each(?) k cross join ${table.name} t where t.rowid = k.value order by t.${position}`;
    this.#count = `select count(*) as count from (select 1 ${inRange} limit ?)`;
  }

  page(
    connection: Connection,
    tenant: string,
    group: string,
    parts: "all" | readonly string[],
    range: PageRange,
  ): readonly Row[] {
    const heads = mergeParts(this.#named(connection, tenant, group, parts), range, (part, { after, upTo, limit }) =>
      connection
        .all(this.#heads, tenant, group, part, after, upTo, limit)
        .map(({ position, entry }) => ({ position: position as number, entry })),
    );
    if (heads.length === 0) return [];
    return this.#table.decode(connection.all(this.#rows, JSON.stringify(heads.map(({ entry }) => entry))));
  }

  /** Stops at `limit`. */
  count(
    connection: Connection,
    tenant: string,
    group: string,
    parts: "all" | readonly string[],
    { after, upTo, limit }: PageRange,
  ): number {
    let count = 0;
    for (const part of this.#named(connection, tenant, group, parts)) {
      const counted: SqliteValue | undefined = connection.all(
        this.#count,
        tenant,
        group,
        part,
        after,
        upTo,
        limit - count,
      )[0]?.count;
      count += Number(counted ?? 0);
      if (count >= limit) break;
    }
    return count;
  }

  #named(connection: Connection, tenant: string, group: string, parts: "all" | readonly string[]): readonly string[] {
    if (parts !== "all") return [...new Set(parts)];
    return connection.all(this.#parts, tenant, group, tenant, group).map(({ name }) => String(name));
  }
}
