/**
 * Interactive transactions. Reads are awaited; writes are synchronous and buffered. The commit checks again what was
 * read, and if it has changed in the meantime, the function runs once more. So a storage transaction never waits for an
 * app's code.
 */

import { copyPatch, type LoosePatch } from "../../schema/patch.ts";
import { orAborted, throwIfAborted } from "../../shared/abort.ts";
import { TillSyncError } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/json.ts";
import { type LocalChange, viewWith } from "../decide/local-write.ts";
import { type AppRecord, recordOf } from "../decide/record.ts";
import { readAll, type ScannedRow, type ScanOptions, type StorageScript } from "../ports/storage.ts";
import { type LocalWriteResult, localWrite } from "../scripts/local-write.ts";
import type { StoredRow } from "../state/rows.ts";
import { collectionOf, tableOf } from "../state/tables.ts";
import type { LocalStore } from "../store/local-store.ts";
import type { Run, Writer } from "../store/writer.ts";
import type { TransactionOptions } from "../types/collections.ts";
import { type LooseQuery, planQuery, withOwn } from "./query-plan.ts";
import { readAllRows } from "./query-read.ts";

/** How often a function is run before its caller receives the contention as an error. */
const MAX_RUNS = 10;

// biome-ignore lint/suspicious/noExplicitAny: typed by SyncClient.transaction; here it is whatever the app's function takes
export type TransactionRun = (tx: any, context: { readonly id: string; readonly now: number }) => unknown;

/** Runs a function until what it has read is still current at its commit. Returns what the function returned. */
export async function runTransaction(
  store: LocalStore,
  writer: Writer,
  run: TransactionRun,
  options: TransactionOptions = {},
): Promise<unknown> {
  const { signal } = options;
  writer.expectNoRun();
  for (let runs = 1; ; runs += 1) {
    throwIfAborted(signal);
    const buffer = new TransactionBuffer(store, writer);
    try {
      const started: Run = {};
      const value = await orAborted(Promise.resolve(begin(writer, started, run, buffer)), signal);
      if (started.error !== undefined) throw started.error;
      buffer.finish();
      // From here on an abort could not tell any more whether the transaction was written.
      if (await buffer.commit(options.actor)) return value;
    } finally {
      buffer.finish();
    }
    if (runs >= MAX_RUNS) {
      throw new TillSyncError(
        "transaction_contended",
        `Other writers changed what the transaction had read in each of its ${runs} runs. Read less, or write in fewer places at once.`,
        { runs },
      );
    }
  }
}

/** Calls the function; the writer knows of it until the function returns or waits. */
function begin(
  writer: Writer,
  started: Run,
  run: TransactionRun,
  { collections, id, now }: TransactionBuffer,
): unknown {
  writer.run = started;
  try {
    return run(collections, { id, now });
  } finally {
    writer.run = undefined;
  }
}

/** A row that was read; `rev` is `undefined` if it did not exist. */
type ReadRow = { readonly collection: string; readonly id: string; readonly rev: number | undefined };

/** One run of the function: what it has read, and what it will write. */
class TransactionBuffer {
  readonly id: string;
  readonly now: number;
  readonly collections: Readonly<Record<string, object>>;
  readonly #store: LocalStore;
  readonly #writer: Writer;
  readonly #changes: LocalChange[] = [];
  readonly #read = new Map<string, ReadRow>();
  readonly #scans: { readonly table: string; readonly options: ScanOptions; readonly seen: string }[] = [];
  #finished = false;

  constructor(store: LocalStore, writer: Writer) {
    this.#store = store;
    this.#writer = writer;
    this.id = writer.uuid();
    this.now = writer.now();
    this.collections = Object.fromEntries(Object.keys(store.collections).map((name) => [name, this.#collection(name)]));
  }

  /** Ends the run: later reads and writes throw. */
  finish(): void {
    this.#finished = true;
  }

  /** Returns false if what was read has changed since. */
  async commit(actor: string | undefined): Promise<boolean> {
    const onlyRead = this.#changes.length === 0;
    if (onlyRead && this.#read.size + this.#scans.length < 2) return true; // a single read is consistent by itself
    const names = new Set([
      ...this.#changes.map((c) => c.collection),
      ...[...this.#read.values()].map((r) => r.collection),
      ...this.#scans.map((s) => collectionOf(s.table)),
    ]);
    const context = { ...this.#writer.context(actor, this.id), now: this.now };
    try {
      const script = () => this.#check(localWrite(this.#store.collections, context, this.#changes, {}));
      // A transaction that only reads is checked too, so a report never mixes two moments; but it has nothing to
      // announce.
      if (onlyRead) await this.#store.transact("read", "relaxed", [...names], script);
      else await this.#writer.commit([...names], script);
      return true;
    } catch (error) {
      if (error instanceof ReadChanged) return false;
      throw error;
    }
  }

  *#check(write: StorageScript<LocalWriteResult>): StorageScript<LocalWriteResult> {
    const rows = [...this.#read.values()];
    const found = yield* readAll(rows.map((row) => ({ kind: "get", table: tableOf(row.collection), keys: [row.id] })));
    for (const [index, row] of rows.entries()) {
      const [stored] = found[index] as readonly (StoredRow | undefined)[];
      if (stored?.rev !== row.rev) throw new ReadChanged();
    }
    const scanned = yield* readAll(this.#scans.map(({ table, options }) => ({ kind: "scan", table, options })));
    for (const [index, scan] of this.#scans.entries()) {
      if (fingerprint(scanned[index] as readonly ScannedRow<StoredRow>[]) !== scan.seen) throw new ReadChanged();
    }
    return yield* write;
  }

  #collection(name: string): object {
    const definition = this.#store.collections[name];
    const source = { get: this.#get, scan: this.#scan };
    const members = {
      get: async (id: string) => (await members.getMany([id]))[0],
      getMany: async (ids: readonly string[]): Promise<readonly (AppRecord | undefined)[]> => {
        this.#open();
        const rows = await this.#get<StoredRow>(tableOf(name), ids);
        return rows.map((row, index) => this.#overlaid(name, ids[index] ?? "", row));
      },
      find: async (query?: LooseQuery): Promise<readonly AppRecord[]> => {
        this.#open();
        if (definition === undefined) return [];
        const plan = planQuery(name, definition, query);
        const own = await this.#own(name);
        // Its own writes are in no index yet, so as many more rows are read as they may displace from a page.
        const wider = plan.limit === undefined ? plan : { ...plan, limit: plan.limit + own.size };
        const rows = await readAllRows(source, name, wider);
        return withOwn(plan, rows, own).map((row) => recordOf(row.id, row.data ?? {}));
      },
      first: async (query: LooseQuery) => (await members.find({ ...query, limit: 1 }))[0],
      create: (input: object): AppRecord => {
        this.#open();
        const change = this.#writer.createChange(name, input);
        this.#changes.push(change);
        return recordOf(change.entityId, change.data);
      },
      update: (id: string, patch: LoosePatch): void =>
        this.#push({ action: "update", collection: name, entityId: id, patch: copyPatch(patch) }),
      delete: (id: string): void => this.#push({ action: "delete", collection: name, entityId: id }),
      increment: (id: string, by: Readonly<Record<string, unknown>>): void =>
        this.#push({ action: "increment", collection: name, entityId: id, by: { ...by } }),
    };
    return members;
  }

  #push(change: LocalChange): void {
    this.#open();
    this.#changes.push(change);
  }

  #open(): void {
    if (this.#finished) {
      throw new TillSyncError(
        "transaction_finished",
        "The transaction has ended. Await every read inside its function, and write only there.",
        { transaction: this.id },
      );
    }
  }

  readonly #get = async <V>(table: string, ids: readonly string[]): Promise<readonly (V | undefined)[]> => {
    const rows = await this.#store.get<StoredRow>(table, ids);
    for (const [index, id] of ids.entries()) {
      const key = `${table}/${id}`;
      const rev = rows[index]?.rev;
      const before = this.#read.get(key);
      // The first read counts. If a later read of the run differs, the commit finds a difference to the first, and the
      // function runs again.
      if (before === undefined) this.#read.set(key, { collection: collectionOf(table), id, rev });
    }
    return rows as readonly (V | undefined)[];
  };

  readonly #scan = async <V>(table: string, options: ScanOptions): Promise<readonly ScannedRow<V>[]> => {
    const rows = await this.#store.scan<V>(table, options);
    this.#scans.push({
      table,
      options,
      seen: fingerprint(rows as readonly ScannedRow<unknown>[] as readonly ScannedRow<StoredRow>[]),
    });
    return rows;
  };

  /** The records of a collection that this transaction has written, with its writes. */
  async #own(collection: string): Promise<ReadonlyMap<string, JsonObject | undefined>> {
    const ids = [...new Set(this.#changes.filter((c) => c.collection === collection).map((c) => c.entityId))];
    const rows = ids.length === 0 ? [] : await this.#get<StoredRow>(tableOf(collection), ids);
    return new Map(ids.map((id, index) => [id, this.#overlaid(collection, id, rows[index])]));
  }

  /** The stored record with this transaction's own writes so far. */
  #overlaid(collection: string, id: string, row: StoredRow | undefined): AppRecord | undefined {
    const definition = this.#store.collections[collection];
    const own = this.#changes.filter((change) => change.collection === collection && change.entityId === id);
    const data = definition && own.length > 0 ? viewWith(definition, row, own) : row?.data;
    return data && recordOf(id, data);
  }
}

const fingerprint = (rows: readonly ScannedRow<StoredRow>[]): string =>
  rows.map(({ primary, value }) => `${primary}:${value.rev}`).join("\n");

/** What was read has changed. Internal: no caller receives it. */
class ReadChanged extends Error {}
