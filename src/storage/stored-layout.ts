/**
 * The layout that a store was built for, and how a wanted one differs from it. Pure; each adapter makes the changes
 * itself.
 */
import type { StorageLayout, StorageRead, TableLayout } from "../client/ports/storage.ts";
import { assert } from "../shared/assert.ts";
import { TillSyncError } from "../shared/errors.ts";

/**
 * Plain data: for each table the signatures of its indexes. It names every table that the store ever had, also those of
 * other versions.
 */
export interface StoredLayout {
  readonly format: number;
  readonly tables: Readonly<Record<string, string>>;
}

export interface LayoutChange {
  /** The layout to store from now on. */
  readonly next: StoredLayout;
  /** Tables that are new, or whose indexes must be rebuilt from their rows. */
  readonly tables: readonly TableLayout[];
}

/**
 * `undefined` if the store fits as it is.
 * @throws TillSyncError `storage_newer`, before anything is changed
 */
export function layoutChange(stored: StoredLayout | undefined, wanted: StorageLayout): LayoutChange | undefined {
  const { format, tables } = wanted;
  if (stored !== undefined && stored.format > format) {
    throw new TillSyncError(
      "storage_newer",
      `Expected stored data of format ${format} or older, got ${stored.format}: ` +
        "a newer version of this application wrote it. Nothing was changed. Reload, or close the other tabs first.",
      { stored: stored.format, supported: format },
    );
  }
  const known = new Map(Object.entries(stored?.tables ?? {}));
  const changed = tables.filter((table) => known.get(table.name) !== signatureOf(table));
  if (stored?.format === format && changed.length === 0) return undefined;
  for (const table of tables) known.set(table.name, signatureOf(table));
  return { next: { format, tables: Object.fromEntries(known) }, tables: changed };
}

function signatureOf({ indexes }: TableLayout): string {
  return JSON.stringify(indexes.map(({ name, signature }) => [name, signature]).sort());
}

/** A table of a layout. A name that the layout does not have is a bug of the caller. */
export function tableOf(layout: StorageLayout, name: string): TableLayout {
  const table = layout.tables.find((one) => one.name === name);
  assert(table, `there is a table "${name}"`);
  return table;
}

/** Checked before a transaction begins: a failure later would affect others that were joined with it. */
export function assertTables(layout: StorageLayout, names: readonly string[]): void {
  assert(names.length > 0, "a transaction names its tables");
  for (const name of names) tableOf(layout, name);
}

/** The same before a read. */
export function assertRead(layout: StorageLayout, read: StorageRead): void {
  const { indexes } = tableOf(layout, read.table);
  const index = read.kind === "get" ? undefined : read.options.index;
  assert(index === undefined || indexes.some(({ name }) => name === index), `"${read.table}" has an index "${index}"`);
}

/** A transaction that uses an undeclared table would deadlock or fail, depending on the adapter, so it is refused. */
export function assertDeclared(tables: readonly string[], used: readonly { readonly table: string }[]): void {
  for (const { table } of used) assert(tables.includes(table), `the transaction has declared "${table}"`);
}

export function closedError(): TillSyncError<"client_closed"> {
  return new TillSyncError(
    "client_closed",
    "This store has been closed. Open it again, or call it before you close it.",
    {},
  );
}

export function supersededError(adapter: string): TillSyncError<"storage_unavailable"> {
  return new TillSyncError(
    "storage_unavailable",
    "Another tab uses this store in a newer version of the application, or has deleted it. Reload this page.",
    { adapter },
  );
}
