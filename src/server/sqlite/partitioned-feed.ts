/**
 * Pages over feeds that are split into parts: a collection's rows by scope, a device's results by incarnation.
 *
 * Each part is a range of one index, read from `after` on and no further than the page. The parts are merged by
 * position here: every part that was read lowers the bound for the next, so a reader of three hundred branches reads
 * about seven pages' worth of index entries and not three hundred. Documents are fetched only for the rows of the
 * page; if rows have a size, only for as many of them as the page has bytes.
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
  /** In a feed whose rows have a size: the page ends with the row that brings it to this many bytes. */
  readonly bytes?: number | undefined;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** The page ended because of its bytes. */
  readonly isFull: boolean;
}

/** Up to `limit` entries, ascending by position. Entries with the same position are in the order of `parts`. */
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
  /** `group`, `part` and `position`: the columns of the index after `tenant`, in its order. */
  readonly group: string;
  readonly part: string;
  readonly position: string;
  /** The condition of the index, if it is a partial one. */
  readonly only?: string | undefined;
  /** An expression for the size of row `t`, in bytes. It must not need to read the documents that it measures. */
  readonly size?: string | undefined;
}

export class PartitionedFeed<Row extends object> {
  readonly #table: Columns<Row>;
  readonly #parts: string;
  readonly #heads: string;
  readonly #sizes: string;
  readonly #rows: string;
  readonly #count: string;

  constructor({ table, group, part, position, only = "true", size = "0" }: PartitionedFeedDefinition<Row>) {
    this.#table = table;
    const inGroup = `from ${table.name} where tenant = ? and ${group} = ? and ${only}`;
    const inRange = `${inGroup} and ${part} = ? and ${position} > ? and ${position} <= ?`;
    // One look-up per part, however many rows it has: `select distinct` would scan every row.
    this.#parts =
      `with recursive parts (name) as (select (select min(${part}) ${inGroup}) union all ` +
      `select (select min(${part}) ${inGroup} and ${part} > parts.name) from parts where parts.name is not null) ` +
      "select name from parts where name is not null";
    this.#heads = `select ${position} as position, rowid as entry ${inRange} order by ${position} limit ?`;
    const listed = `from json_each(?) k cross join ${table.name} t where t.rowid = k.value`;
    // One row for the whole page: a thousand rows cost twice as much (measured).
    this.#sizes = `select json_group_object(t.rowid, ${size}) as sizes ${listed}`;
    this.#rows = `select ${table.selection("t")} ${listed} order by t.${position}`;
    this.#count = `select count(*) as count from (select 1 ${inRange} limit ?)`;
  }

  page(
    connection: Connection,
    tenant: string,
    group: string,
    parts: "all" | readonly string[],
    range: PageRange,
  ): Page<Row> {
    const heads = mergeParts(this.#named(connection, tenant, group, parts), range, (part, { after, upTo, limit }) =>
      connection
        .all(this.#heads, tenant, group, part, after, upTo, limit)
        .map(({ position, entry }) => ({ position: position as number, entry })),
    );
    if (heads.length === 0) return { rows: [], isFull: false };
    const entries = heads.map(({ entry }) => entry as number);
    const held =
      range.bytes === undefined ? entries.length : this.#fitting(connection, entries, Math.max(1, range.bytes));
    const rows = this.#table.decode(connection.all(this.#rows, JSON.stringify(entries.slice(0, held))));
    return { rows, isFull: held < entries.length };
  }

  /** How many of the entries fit: up to the one that brings the page to its bytes. */
  #fitting(connection: Connection, entries: readonly number[], bytes: number): number {
    const [row] = connection.all(this.#sizes, JSON.stringify(entries));
    const sizes = JSON.parse(String(row?.sizes)) as Readonly<Record<string, number>>;
    let total = 0;
    let count = 0;
    while (count < entries.length && total < bytes) total += sizes[String(entries[count++])] ?? 0;
    return count;
  }

  /** Stops counting at `limit`. */
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
