/**
 * What a store remembers of the layout it was built for, and how a wanted one differs from it. Pure; what is done about the
 * difference is each adapter's own. (storage)
 */
import type { IndexLayout, StorageLayout, TableLayout } from "../client/ports/storage.ts";
import { assert } from "../shared/assert.ts";
import { TillSyncError } from "../shared/errors.ts";

/** Plain data: table → index → signature. It names every table that was ever laid out, also those of other versions. */
export interface StoredLayout {
  readonly format: number;
  readonly tables: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What has to be done to one table: take away `stale` indexes, then build `built` ones from the rows. */
export interface TableChange {
  readonly table: TableLayout;
  readonly stale: readonly string[];
  readonly built: readonly IndexLayout[];
}

export interface LayoutChange {
  /** What to remember from now on. */
  readonly next: StoredLayout;
  readonly tables: readonly TableChange[];
}

/**
 * `undefined` where the store fits as it is.
 * @throws TillSyncError `storage_newer`, before anything was touched
 */
export function layoutChange(stored: StoredLayout | undefined, wanted: StorageLayout): LayoutChange | undefined {
  if (stored !== undefined && stored.format > wanted.format) throw newer(stored.format, wanted.format);
  const known = new Map(Object.entries(stored?.tables ?? {}));
  const tables = wanted.tables.flatMap((table) => tableChange(known.get(table.name), table));
  if (stored?.format === wanted.format && tables.length === 0) return undefined;
  for (const { name, indexes } of wanted.tables) {
    known.set(name, Object.fromEntries(indexes.map((index) => [index.name, index.signature])));
  }
  return { next: { format: wanted.format, tables: Object.fromEntries(known) }, tables };
}

function tableChange(stored: Readonly<Record<string, string>> | undefined, table: TableLayout): TableChange[] {
  if (stored === undefined) return [{ table, stale: [], built: table.indexes }];
  const before = new Map(Object.entries(stored));
  const built = table.indexes.filter((index) => before.get(index.name) !== index.signature);
  for (const index of table.indexes) if (!built.includes(index)) before.delete(index.name);
  const stale = [...before.keys()];
  return stale.length === 0 && built.length === 0 ? [] : [{ table, stale, built }];
}

function newer(stored: number, supported: number): TillSyncError<"storage_newer"> {
  return new TillSyncError(
    "storage_newer",
    `Expected stored data of format ${supported} or older, found format ${stored}: a newer version of this application ` +
      "has written here. Nothing was touched. Load the newer version (reload, or close the other tabs first).",
    { stored, supported },
  );
}

/** The tables of a layout by name; asking for what it does not have is a defect of the asking code. */
export class Tables {
  readonly #tables: ReadonlyMap<string, TableLayout>;

  constructor(layout: StorageLayout) {
    this.#tables = new Map(layout.tables.map((table) => [table.name, table]));
  }

  table(name: string): TableLayout {
    const table = this.#tables.get(name);
    assert(table !== undefined, `the layout has the table "${name}"`);
    return table;
  }

  index(table: string, name: string): IndexLayout {
    const index = this.table(table).indexes.find((one) => one.name === name);
    assert(index !== undefined, `the table "${table}" has the index "${name}"`);
    return index;
  }

  /** Before a transaction begins: it would fail at a place where others that were joined with it would suffer. */
  assertAll(names: readonly string[]): void {
    assert(names.length > 0, "a transaction names its tables");
    for (const name of names) this.table(name);
  }
}

/** A transaction that uses a table it has not declared would deadlock or be refused, depending on the adapter: so none may. */
export function assertDeclared(tables: readonly string[], used: readonly { readonly table: string }[]): void {
  for (const { table } of used) {
    assert(tables.includes(table), `the transaction has declared the table "${table}" (it has: ${tables.join(", ")})`);
  }
}

export function closedError(): TillSyncError<"client_closed"> {
  return new TillSyncError("client_closed", "This store has been closed. Open it again, or ask before closing.", {});
}

export function supersededError(adapter: string): TillSyncError<"storage_unavailable"> {
  return new TillSyncError(
    "storage_unavailable",
    "Another tab has opened this store in a newer version of the application, or has deleted it. Reload this page.",
    { adapter },
  );
}
