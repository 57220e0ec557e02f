/** An open store in IndexedDB: who may still use it, and to whom the work goes. (storage/indexeddb) */
import type {
  ScannedRow,
  ScanOptions,
  StorageConnection,
  StorageEstimate,
  StorageHooks,
  StorageRead,
  StorageScript,
  TransactOptions,
} from "../../client/ports/storage.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import { closedError, Tables } from "../stored-layout.ts";
import { typedError } from "./failures.ts";
import { Link } from "./link.ts";
import type { Place } from "./open.ts";
import { deleteDatabase } from "./open.ts";
import { Reader } from "./reader.ts";
import { estimateSpace } from "./space.ts";
import { Writer } from "./writer.ts";

export interface IndexedDBConnectionParts {
  readonly place: Place;
  readonly database: IDBDatabase;
  readonly hooks: StorageHooks;
  /** The most that a transaction gets, whatever it asks for. */
  readonly durability: "strict" | "relaxed";
}

export class IndexedDBConnection implements StorageConnection {
  readonly #place: Place;
  readonly #durability: "strict" | "relaxed";
  readonly #tables: Tables;
  readonly #link: Link;
  readonly #writer: Writer;
  readonly #reader: Reader;
  readonly #reads = new Set<Promise<unknown>>();

  constructor({ place, database, hooks, durability }: IndexedDBConnectionParts) {
    const { layout, watchdogMs } = place;
    this.#place = place;
    this.#durability = durability;
    this.#tables = new Tables(layout);
    this.#link = new Link(place, database, hooks, () => this.#finished());
    this.#writer = new Writer(this.#link, { tables: this.#tables, watchdogMs, estimate: estimateSpace });
    this.#reader = new Reader(this.#link, watchdogMs, () => this.#writer.isBusy);
  }

  get<V>(table: string, keys: readonly string[]): Promise<readonly (V | undefined)[]> {
    return this.#read({ kind: "get", table, keys });
  }

  scan<V>(table: string, options: ScanOptions): Promise<readonly ScannedRow<V>[]> {
    return this.#read({ kind: "scan", table, options });
  }

  count(table: string, options: Pick<ScanOptions, "index" | "range">): Promise<number> {
    return this.#read({ kind: "count", table, options });
  }

  async transact<T>(options: TransactOptions, script: () => StorageScript<T>): Promise<T> {
    this.#assertOpen();
    this.#tables.assertAll(options.tables);
    return await this.#writer.add(options, this.#durability === "relaxed" ? "relaxed" : options.durability, script);
  }

  async estimate(): Promise<StorageEstimate> {
    this.#assertOpen();
    return await estimateSpace();
  }

  async close(): Promise<void> {
    this.#link.end(closedError());
    await this.#finished();
    this.#link.close();
  }

  async destroy(): Promise<void> {
    this.#assertOpen();
    await this.close();
    try {
      await deleteDatabase(this.#place);
    } catch (error) {
      throw await typedError(error, "all tables", estimateSpace);
    }
  }

  async #read<T>(read: StorageRead): Promise<T> {
    this.#assertOpen();
    this.#tables.table(read.table);
    if (read.kind !== "get" && read.options.index !== undefined) this.#tables.index(read.table, read.options.index);
    const answer = this.#reader.read(read);
    this.#reads.add(answer);
    try {
      return (await answer) as T;
    } catch (error) {
      throw isTillSyncError(error) ? error : await typedError(error, read.table, estimateSpace);
    } finally {
      this.#reads.delete(answer);
    }
  }

  #assertOpen(): void {
    if (this.#link.ended !== undefined) throw this.#link.ended;
  }

  async #finished(): Promise<void> {
    await Promise.allSettled([this.#writer.idle(), ...this.#reads]);
  }
}
