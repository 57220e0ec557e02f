/**
 * What a store remembers of the layout it was built for, and how a wanted one differs from it. Pure; what is done about the
 * difference is each adapter's own.
 */
import type { StorageLayout, StorageRead, TableLayout } from "../client/ports/storage.ts";
import { assert } from "../shared/assert.ts";
import { TillSyncError } from "../shared/errors.ts";

/** Plain data: the signatures of its indexes by table. It names every table that was ever laid out, also those of other versions. */
export interface StoredLayout {
  readonly format: number;
  readonly tables: Readonly<Record<string, string>>;
}

export interface LayoutChange {
  /** What to remember from now on. */
  readonly next: StoredLayout;
  /** Those that are new, or whose indexes are to be built anew from their rows. */
  readonly tables: readonly TableLayout[];
}

/**
 * `undefined` where the store fits as it is.
 * @throws TillSyncError `storage_newer`, before anything was touched
 */
export function layoutChange(stored: StoredLayout | undefined, wanted: StorageLayout): LayoutChange | undefined {
  const { format, tables } = wanted;
  if (stored !== undefined && stored.format > format) {
    throw new TillSyncError(
      "storage_newer",
      `Expected stored data of format ${format} or older, got ${stored.format}: a newer version of this application wrote it. ` +
        "Nothing was touched. Reload, or close the other tabs first.",
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

/** A table of a layout; asking for what it does not have is a defect of the asking code. */
export function tableOf(layout: StorageLayout, name: string): TableLayout {
  const table = layout.tables.find((one) => one.name === name);
  assert(table, `there is a table "${name}"`);
  return table;
}

/** Before a transaction begins: it would fail at a place where others that were joined with it would suffer. */
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

/** A transaction that uses a table it has not declared would deadlock or be refused, depending on the adapter: so none may. */
export function assertDeclared(tables: readonly string[], used: readonly { readonly table: string }[]): void {
  for (const { table } of used) assert(tables.includes(table), `the transaction has declared "${table}"`);
}

export function closedError(): TillSyncError<"client_closed"> {
  return new TillSyncError("client_closed", "This store has been closed. Open it again, or ask before closing.", {});
}

export function supersededError(adapter: string): TillSyncError<"storage_unavailable"> {
  return new TillSyncError(
    "storage_unavailable",
    "Another tab uses this store in a newer version of the application, or has deleted it. Reload this page.",
    { adapter },
  );
}
