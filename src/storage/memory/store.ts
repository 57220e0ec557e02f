/** The content of one store, shared by all connections to it, and the order of its transactions. */
import type { StorageLayout } from "../../client/ports/storage.ts";
import { assert } from "../../shared/assert.ts";
import { type LayoutChange, layoutChange, type StoredLayout } from "../stored-layout.ts";
import { frozenCopy } from "./plain-copy.ts";
import { Table } from "./table.ts";

/** The content of a store as plain data. Its values are the store's own, and frozen: copy them to change them. */
export interface MemorySnapshot {
  /** The layout that the store was last opened with; missing if it was never opened. */
  readonly layout?: StoredLayout | undefined;
  /** The rows of each table, by primary key. */
  readonly tables: Readonly<Record<string, readonly (readonly [key: string, value: unknown])[]>>;
}

/** A connection, as the store sees it: it is notified when it may not use the store any more. */
export interface Occupant {
  supersede(): void;
}

export class Store {
  readonly occupants = new Set<Occupant>();
  readonly #tables = new Map<string, Table>();
  /** Rows of tables that no layout has named so far. They stay as they are. */
  readonly #unnamed = new Map<string, MemorySnapshot["tables"][string]>();
  #layout: StoredLayout | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();

  /** Runs the work when all work before it is over: one after another, in the order of the calls. */
  turn<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => {});
    return turn;
  }

  /** Changes the store to a layout. Connections with another one are superseded: their indexes are no longer right. */
  adopt(layout: StorageLayout): void {
    const change = layoutChange(this.#layout, layout);
    if (change !== undefined) {
      this.supersedeAll();
      this.#apply(change);
    }
    for (const table of layout.tables) {
      if (!this.#tables.has(table.name)) this.#load(new Table(table), table.name);
    }
  }

  table(name: string): Table {
    const table = this.#tables.get(name);
    assert(table !== undefined, `the store has the table "${name}"`);
    return table;
  }

  supersedeAll(): void {
    for (const occupant of [...this.occupants]) occupant.supersede();
  }

  clear(): void {
    this.#tables.clear();
    this.#unnamed.clear();
    this.#layout = undefined;
  }

  snapshot(): MemorySnapshot {
    const tables = [...this.#unnamed, ...[...this.#tables].map(([name, table]) => [name, table.dump()] as const)];
    return { layout: this.#layout, tables: Object.fromEntries(tables) };
  }

  /** Open connections keep the indexes of their layout, which are rebuilt from the restored rows. */
  restore({ layout, tables }: MemorySnapshot): void {
    if (this.occupants.size === 0) {
      this.clear();
      this.#layout = layout;
    }
    const rows = new Map(Object.entries(tables));
    this.#unnamed.clear();
    for (const [name, table] of this.#tables) {
      table.load(copies(rows.get(name) ?? []));
      rows.delete(name);
    }
    for (const [name, others] of rows) this.#unnamed.set(name, copies(others));
  }

  #apply({ next, tables }: LayoutChange): void {
    for (const table of tables) this.#tables.get(table.name)?.adopt(table);
    this.#layout = next;
  }

  #load(table: Table, name: string): void {
    table.load(this.#unnamed.get(name) ?? []);
    this.#unnamed.delete(name);
    this.#tables.set(name, table);
  }
}

function copies(rows: MemorySnapshot["tables"][string]): MemorySnapshot["tables"][string] {
  return rows.map(([key, value]) => [key, frozenCopy(value)] as const);
}
