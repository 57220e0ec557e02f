/**
 * Reads that a script does not wait for.
 *
 *   script ► reads ► their predicted answers ► its writes are put      (the reads are under way all the while)
 *   all predictions were right: commit      one was wrong: abort, and run again, waiting for each read
 *
 * What a sale is decided on is nearly always known before: the counts of the queue are those that this tab wrote last,
 * and there is no row for a new id. Waiting for the database to confirm that took a third of the time of a sale. Every
 * row carries the id of the transaction that wrote it, so comparing two ids shows whether it is the same row, however
 * large it is.
 */
import { wrap } from "idb";
import type { StorageRead } from "../../client/ports/storage.ts";
import type { StoredRow } from "./rows.ts";

type Row = StoredRow | undefined;
type Get = Extract<StorageRead, { kind: "get" }>;

/**
 * Rows by table and key, as the last transaction of this connection left them. Only those of `unchanged` reads, which
 * are few and small.
 */
export type Memory = ReadonlyMap<string, Row>;

/** Nothing was committed: run the group again, without a memory. */
export const MISPREDICTED = new Error("A speculative read returned another row than was predicted.");

/** The speculative reads of one transaction. Without a memory every read is waited for. */
export class SpeculativeReads {
  readonly #memory: Map<string, Row>;
  readonly #maySpeculate: boolean;
  readonly #unchecked: { readonly request: IDBRequest<Row>; readonly predicted: Row }[] = [];

  constructor(memory: Memory | undefined) {
    this.#memory = new Map(memory);
    this.#maySpeculate = memory !== undefined;
  }

  /** The memory for the next transaction, once this one is complete. */
  get memory(): Memory {
    return this.#memory;
  }

  /** Issues the reads, and returns their predicted answers; `undefined` if one of them has to be waited for. */
  answers(transaction: IDBTransaction, reads: readonly StorageRead[]): unknown[] | undefined {
    if (!this.#maySpeculate || !reads.every((read) => this.#isKnown(read))) return undefined;
    return (reads as readonly Get[]).map(({ table, keys, speculate }) => {
      const store = transaction.objectStore(table);
      return keys.map((key) => {
        const predicted = speculate === "absent" ? undefined : this.#memory.get(rowId(table, key));
        this.#unchecked.push({ request: store.get(key), predicted });
        return predicted?.v;
      });
    });
  }

  /** A read that is waited for; its rows are remembered. */
  async learn(transaction: IDBTransaction, { table, keys }: Get): Promise<unknown[]> {
    const store = transaction.objectStore(table);
    const rows: Row[] = await Promise.all(keys.map((key) => wrap(store.get(key))));
    for (const [at, row] of rows.entries()) this.#memory.set(rowId(table, keys[at] as string), row);
    return rows.map((row) => row?.v);
  }

  /** Remembers what was put or deleted: the next script of this transaction reads that. */
  wrote(table: string, key: string, row: Row): void {
    const id = rowId(table, key);
    if (this.#memory.has(id)) this.#memory.set(id, row);
  }

  /** @throws MISPREDICTED. Must be awaited before the commit, and keeps the transaction active. */
  async check(): Promise<void> {
    const last = this.#unchecked.at(-1);
    if (last === undefined) return;
    // A transaction answers its requests in their order: with this answer all are there.
    await wrap(last.request);
    if (this.#unchecked.some(({ request, predicted }) => request.result?.t !== predicted?.t)) throw MISPREDICTED;
  }

  #isKnown(read: StorageRead): boolean {
    if (read.kind !== "get" || read.speculate === undefined) return false;
    return read.speculate === "absent" || read.keys.every((key) => this.#memory.has(rowId(read.table, key)));
  }
}

const rowId = (table: string, key: string) => `${table}\n${key}`;
