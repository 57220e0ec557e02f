/** A table with its indexes: rows by key, and rows in the order of a position, by group and part. */
import { Feed, type FeedRange } from "./feed.ts";
import { getOrMake } from "./get-or-make.ts";

export interface FeedIndexDefinition<Row> {
  /** What a read must name: collection, device, … `undefined`: the row is not in this index. */
  group(row: Row): string | undefined;
  /** What a read may narrow down to: scope, incarnation. Absent: the group is not divided. */
  part?(row: Row): string;
  position(row: Row): number;
}

/**
 * Feeds by group and part. A part without rows is removed, so the cost of "every part" depends on the rows that
 * exist.
 */
export class FeedIndex<Row> {
  readonly #definition: FeedIndexDefinition<Row>;
  readonly #groups = new Map<string, Map<string, Feed<Row>>>();

  constructor(definition: FeedIndexDefinition<Row>) {
    this.#definition = definition;
  }

  add(key: string, row: Row): void {
    const group = this.#definition.group(row);
    if (group === undefined) return;
    const part = this.#definition.part?.(row) ?? "";
    const parts = getOrMake(this.#groups, group, () => new Map<string, Feed<Row>>());
    const feed = getOrMake(parts, part, () => new Feed<Row>());
    feed.add(this.#definition.position(row), key, row);
  }

  remove(key: string, row: Row): void {
    const group = this.#definition.group(row);
    const parts = group === undefined ? undefined : this.#groups.get(group);
    const part = this.#definition.part?.(row) ?? "";
    const feed = parts?.get(part);
    if (group === undefined || parts === undefined || feed === undefined) return;
    feed.remove(this.#definition.position(row), key);
    if (feed.empty) parts.delete(part);
    if (parts.size === 0) this.#groups.delete(group);
  }

  /** Up to `limit` rows of the group's parts, merged, ascending. */
  page(
    group: string,
    parts: "all" | readonly string[],
    range: FeedRange,
    limit: number,
    accept?: (row: Row) => boolean,
  ): readonly Row[] {
    const { position } = this.#definition;
    let rows: Row[] = [];
    let { upTo } = range;
    for (const feed of this.#feeds(group, parts)) {
      const more = feed.page({ after: range.after, upTo }, limit, accept);
      if (more.length === 0) continue;
      // The sort is stable and each part is in order: rows with the same position are in the order of the named parts.
      rows = rows.length === 0 ? more : [...rows, ...more].sort((a, b) => position(a) - position(b)).slice(0, limit);
      // Nothing after a full page can be on it: less is read from the other parts.
      const last = rows[limit - 1];
      if (last !== undefined) upTo = position(last);
    }
    return rows;
  }

  count(group: string, parts: "all" | readonly string[], range: FeedRange): number {
    let count = 0;
    for (const feed of this.#feeds(group, parts)) count += feed.count(range);
    return count;
  }

  #feeds(group: string, parts: "all" | readonly string[]): readonly Feed<Row>[] {
    const feeds = this.#groups.get(group);
    if (feeds === undefined) return [];
    if (parts === "all") return [...feeds.values()];
    return [...new Set(parts)].flatMap((part) => feeds.get(part) ?? []);
  }
}

export class Table<Row> {
  readonly #rows = new Map<string, Row>();
  readonly #key: (row: Row) => string;
  readonly #indexes: readonly FeedIndex<Row>[];

  constructor(key: (row: Row) => string, indexes: readonly FeedIndex<Row>[] = []) {
    this.#key = key;
    this.#indexes = indexes;
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  /** The rows that exist. A repeated key counts once. */
  pick(keys: readonly string[]): readonly Row[] {
    const rows: Row[] = [];
    for (const key of keys.length > 1 ? new Set(keys) : keys) {
      const row = this.#rows.get(key);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  all(): readonly Row[] {
    return [...this.#rows.values()];
  }

  put(row: Row): void {
    const key = this.#key(row);
    this.delete(key);
    this.#rows.set(key, row);
    for (const index of this.#indexes) index.add(key, row);
  }

  delete(key: string): void {
    const old = this.#rows.get(key);
    if (old === undefined) return;
    for (const index of this.#indexes) index.remove(key, old);
    this.#rows.delete(key);
  }
}
