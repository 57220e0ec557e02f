/** One table of a working set: loaded rows, written rows over them, and the keys that somebody looked for in vain. */

export type Undo = () => void;

export class Overlay<Row> {
  readonly #undo: Undo[];
  readonly #known = new Map<string, Row | undefined>();
  readonly #written = new Map<string, Row>();
  /** By key: what to ask the store for. */
  readonly wanted = new Map<string, unknown>();

  constructor(undo: Undo[]) {
    this.#undo = undo;
  }

  get(key: string, ask: unknown): Row | undefined {
    const row = this.#written.get(key);
    if (row !== undefined) return row;
    if (!this.#known.has(key)) this.wanted.set(key, ask);
    return this.#known.get(key);
  }

  knows(key: string): boolean {
    return this.#written.has(key) || this.#known.has(key);
  }

  written(key: string): Row | undefined {
    return this.#written.get(key);
  }

  allWritten(): Iterable<Row> {
    return this.#written.values();
  }

  put(key: string, row: Row): void {
    this.#remember(key);
    this.#written.set(key, row);
  }

  /** Forgets what was written under the key. */
  drop(key: string): void {
    if (!this.#written.has(key)) return;
    this.#remember(key);
    this.#written.delete(key);
  }

  #remember(key: string): void {
    const before = this.#written.get(key);
    this.#undo.push(() => {
      if (before === undefined) this.#written.delete(key);
      else this.#written.set(key, before);
    });
  }

  know(key: string, row: Row | undefined): void {
    this.#known.set(key, row);
    this.wanted.delete(key);
  }

  load(keys: readonly string[], rows: readonly Row[], keyOf: (row: Row) => string): void {
    for (const key of keys) this.know(key, undefined);
    for (const row of rows) this.know(keyOf(row), row);
  }
}
