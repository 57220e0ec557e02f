/**
 * Reads that a script does not wait for.
 *
 *   script ► reads ► what they will say, most likely ► its writes are put      (the reads are under way all the while)
 *   all have said it: commit      one has not: abort, and run again, waiting for each
 *
 * What a sale is decided on is nearly always known before: the counts of the queue are those that this tab wrote last, and of a new id
 * there is no row. Waiting to hear that was a third of the time of a sale. Every row bears the name of the transaction that wrote it,
 * so that comparing two names tells whether it is the same, however large it is.
 */
import { wrap } from "idb";
import type { StorageRead } from "../../client/ports/storage.ts";
import type { StoredRow } from "./rows.ts";

type Row = StoredRow | undefined;
type Get = Extract<StorageRead, { kind: "get" }>;

/** Rows by table and key, as the last transaction of this connection left them. Only of reads that are likely `unchanged`: few and small. */
export type Memory = ReadonlyMap<string, Row>;

/** Nothing was committed: run it again, without a memory. */
export const MISPREDICTED = new Error("A row was not what it was taken for.");

/** Of one transaction. Without a memory every read is waited for. */
export class SpeculativeReads {
  readonly #memory: Map<string, Row>;
  readonly #mayGuess: boolean;
  readonly #unchecked: { readonly request: IDBRequest<Row>; readonly guess: Row }[] = [];

  constructor(memory: Memory | undefined) {
    this.#memory = new Map(memory);
    this.#mayGuess = memory !== undefined;
  }

  /** What the next transaction may begin with, once this one is complete. */
  get memory(): Memory {
    return this.#memory;
  }

  /** The answers to reads that are asked at once all the same; `undefined` where one of them can only be waited for. */
  answers(transaction: IDBTransaction, reads: readonly StorageRead[]): unknown[] | undefined {
    if (!this.#mayGuess || !reads.every((read) => this.#isKnown(read))) return undefined;
    return (reads as readonly Get[]).map(({ table, keys, speculate }) => {
      const store = transaction.objectStore(table);
      return keys.map((key) => {
        const guess = speculate === "absent" ? undefined : this.#memory.get(nameOf(table, key));
        this.#unchecked.push({ request: store.get(key), guess });
        return guess?.v;
      });
    });
  }

  /** A read that is waited for, and remembered. */
  async learn(transaction: IDBTransaction, { table, keys }: Get): Promise<unknown[]> {
    const store = transaction.objectStore(table);
    const rows: Row[] = await Promise.all(keys.map((key) => wrap(store.get(key))));
    for (const [at, row] of rows.entries()) this.#memory.set(nameOf(table, keys[at] as string), row);
    return rows.map((row) => row?.v);
  }

  /** What is put or deleted is what the next script of this transaction reads. */
  wrote(table: string, key: string, row: Row): void {
    const name = nameOf(table, key);
    if (this.#memory.has(name)) this.#memory.set(name, row);
  }

  /** @throws WRONG_GUESS. Must be awaited before the commit, and keeps the transaction active. */
  async check(): Promise<void> {
    const last = this.#unchecked.at(-1);
    if (last === undefined) return;
    // A transaction answers in the order in which it was asked: with this one all are there.
    await wrap(last.request);
    if (this.#unchecked.some(({ request, guess }) => request.result?.t !== guess?.t)) throw MISPREDICTED;
  }

  #isKnown(read: StorageRead): boolean {
    if (read.kind !== "get" || read.speculate === undefined) return false;
    return read.speculate === "absent" || read.keys.every((key) => this.#memory.has(nameOf(read.table, key)));
  }
}

const nameOf = (table: string, key: string) => `${table}\n${key}`;
