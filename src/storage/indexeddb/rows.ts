/**
 * How a row is stored in its object store: one record for each row, under an out-of-line key.
 *
 * The layout computes the index keys; they are stored with the value, and the native indexes only read them. So the
 * port does not depend on how a value looks on disk: a format that packs many rows of a page into one record, with the
 * keys of all of them in `x`, can replace this file behind the same port.
 */
import type { Key, TableLayout } from "../../client/ports/storage.ts";
import { indexKeys } from "../index-keys.ts";

export interface StoredRow {
  /** The value. */
  readonly v: unknown;
  /** Index keys by `propertyOf` the index. Left out if there are none. */
  readonly x?: Readonly<Record<string, readonly Key[]>>;
  /** The id of the transaction that wrote it. It shows whether a transaction was committed if its answer was lost. */
  readonly t: string;
}

export function storedRow(table: TableLayout, value: unknown, transaction: string): StoredRow {
  let x: Record<string, readonly Key[]> | undefined;
  for (const index of table.indexes) {
    const keys = indexKeys(index, value);
    if (keys.length === 0) continue;
    x ??= {};
    x[propertyOf(index.name)] = keys;
  }
  return x === undefined ? { v: value, t: transaction } : { v: value, x, t: transaction };
}

export function keyPathOf(index: string): string {
  return `x.${propertyOf(index)}`;
}

/** A key path consists of identifiers, but an index may have any name. Different names stay different. */
export function propertyOf(index: string): string {
  return `_${index.replace(/[^a-zA-Z0-9]/g, (character) => `$${character.charCodeAt(0).toString(16)}$`)}`;
}
