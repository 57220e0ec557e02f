/** One table: rows by primary key, and the entries of its indexes. Synchronous, knows nothing of transactions. */
import type { Key, KeyRange, ScannedRow, ScanOptions, TableLayout } from "../../client/ports/storage.ts";
import { assert } from "../../shared/assert.ts";
import { compareKeys, inRange } from "../../shared/keys.ts";
import { includesKey, indexKeys } from "../index-keys.ts";
import { compareEntries, type Entry, SortedEntries } from "./sorted-entries.ts";

interface Row extends Entry {
  readonly key: string;
  value: unknown;
  /** In the order of the table's indexes. */
  keys: readonly (readonly Key[])[];
}

interface IndexEntry extends Entry {
  readonly row: Row;
}

/** A row that is ready to be stored: everything that could throw has been done. */
export interface PreparedRow {
  readonly primary: string;
  readonly value: unknown;
  readonly keys: readonly (readonly Key[])[];
}

export class Table {
  readonly #rows = new Map<string, Row>();
  readonly #primary = new SortedEntries<Row>();
  #layout: TableLayout;
  #indexes: readonly SortedEntries<IndexEntry>[] = [];

  constructor(layout: TableLayout) {
    this.#layout = layout;
    this.adopt(layout);
  }

  /** Rebuilds every index from the rows. */
  adopt(layout: TableLayout): void {
    this.#layout = layout;
    const rows = [...this.#rows.values()];
    for (const row of rows) row.keys = this.#keysOf(row.value);
    this.#indexes = layout.indexes.map((_, position) => {
      const entries = new SortedEntries<IndexEntry>();
      entries.load(
        rows.flatMap((row) => (row.keys[position] ?? []).map((key) => ({ key, primary: row.primary, row }))),
      );
      return entries;
    });
  }

  /** Replaces all rows. */
  load(rows: readonly (readonly [key: string, value: unknown])[]): void {
    this.#rows.clear();
    for (const [key, value] of rows) this.#rows.set(key, { key, primary: key, value, keys: [] });
    this.#primary.load([...this.#rows.values()]);
    this.adopt(this.#layout);
  }

  dump(): [key: string, value: unknown][] {
    const all = () => true;
    return this.#primary.ascending(() => false, all, Number.POSITIVE_INFINITY).map((row) => [row.primary, row.value]);
  }

  /** `value` must be the store's own copy: the index keys are computed from it. */
  prepare(primary: string, value: unknown): PreparedRow {
    return { primary, value, keys: this.#keysOf(value) };
  }

  put({ primary, value, keys }: PreparedRow): void {
    let row = this.#rows.get(primary);
    if (row === undefined) {
      row = { key: primary, primary, value, keys: [] };
      this.#rows.set(primary, row);
      this.#primary.insert(row);
    }
    row.value = value;
    this.#index(row, keys);
  }

  delete(primary: string): void {
    const row = this.#rows.get(primary);
    if (row === undefined) return;
    this.#rows.delete(primary);
    this.#primary.delete(row);
    this.#index(row, []);
  }

  get(primary: string): unknown {
    return this.#rows.get(primary)?.value;
  }

  scan({ index, range = {}, limit, direction, after }: ScanOptions): ScannedRow<unknown>[] {
    const most = limit ?? Number.POSITIVE_INFINITY;
    const backwards = direction === "prev";
    const scanOf = <E extends Entry>(entries: SortedEntries<E>): E[] =>
      backwards
        ? entries.descending(
            (entry) => !isAbove(entry, range) && (after === undefined || compareEntries(entry, after) < 0),
            (entry) => inRange(entry.key, range),
            most,
          )
        : entries.ascending(
            (entry) => isBelow(entry, range) || (after !== undefined && compareEntries(entry, after) <= 0),
            (entry) => inRange(entry.key, range),
            most,
          );
    return index === undefined
      ? scanOf(this.#primary).map(({ key, primary, value }) => ({ key, primary, value }))
      : scanOf(this.#entries(index)).map(({ key, primary, row }) => ({ key, primary, value: row.value }));
  }

  count({ index, range = {} }: Pick<ScanOptions, "index" | "range">): number {
    const countOf = <E extends Entry>(entries: SortedEntries<E>): number =>
      entries.count(
        (entry) => isBelow(entry, range),
        (entry) => !isAbove(entry, range),
      );
    return index === undefined ? countOf(this.#primary) : countOf(this.#entries(index));
  }

  #entries(index: string): SortedEntries<IndexEntry> {
    const entries = this.#indexes[this.#layout.indexes.findIndex(({ name }) => name === index)];
    assert(entries !== undefined, `the table "${this.#layout.name}" has the index "${index}"`);
    return entries;
  }

  /** Moves only the entries whose keys changed: most writes change none. */
  #index(row: Row, next: readonly (readonly Key[])[]): void {
    this.#indexes.forEach((entries, position) => {
      const before = row.keys[position] ?? [];
      const now = next[position] ?? [];
      for (const key of before) {
        if (!includesKey(now, key)) entries.delete({ key, primary: row.primary });
      }
      for (const key of now) {
        if (!includesKey(before, key)) entries.insert({ key, primary: row.primary, row });
      }
    });
    row.keys = next;
  }

  #keysOf(value: unknown): readonly (readonly Key[])[] {
    return this.#layout.indexes.map((index) => indexKeys(index, value));
  }
}

function isBelow({ key }: Entry, { lower, lowerOpen }: KeyRange): boolean {
  if (lower === undefined) return false;
  const order = compareKeys(key, lower);
  return order < 0 || (order === 0 && lowerOpen === true);
}

function isAbove({ key }: Entry, { upper, upperOpen }: KeyRange): boolean {
  if (upper === undefined) return false;
  const order = compareKeys(key, upper);
  return order > 0 || (order === 0 && upperOpen === true);
}
