/** An open connection to a store in memory. */
import type {
  ScannedRow,
  ScanOptions,
  StorageConnection,
  StorageEstimate,
  StorageHooks,
  StorageLayout,
  StorageRead,
  StorageScript,
  StorageWrite,
  TransactOptions,
} from "../../client/ports/storage.ts";
import { deferred } from "../../shared/deferred.ts";
import { isTillSyncError, TillSyncError } from "../../shared/errors.ts";
import { assertDeclared, assertRead, assertTables, closedError, supersededError } from "../stored-layout.ts";
import type { MemoryFaults, MemoryStep } from "./faults.ts";
import { frozenCopy } from "./plain-copy.ts";
import type { Occupant, Store } from "./store.ts";
import type { PreparedRow, Table } from "./table.ts";

type Step = Omit<MemoryStep, "store">;

/** A write that can no longer fail. */
type Change = { readonly table: Table; readonly row: PreparedRow } | { readonly table: Table; readonly gone: string };

export interface MemoryConnectionParts {
  readonly name: string;
  readonly store: Store;
  readonly layout: StorageLayout;
  readonly hooks: StorageHooks;
  readonly faults: MemoryFaults;
}

export class MemoryConnection implements StorageConnection, Occupant {
  readonly #parts: MemoryConnectionParts;
  #ended: TillSyncError | undefined;
  #underWay = 0;
  #idle = deferred<void>();

  constructor(parts: MemoryConnectionParts) {
    this.#parts = parts;
    parts.store.occupants.add(this);
  }

  get<V>(table: string, keys: readonly string[]): Promise<readonly (V | undefined)[]> {
    return this.#read({ kind: "get", table, keys }) as Promise<readonly (V | undefined)[]>;
  }

  scan<V>(table: string, options: ScanOptions): Promise<readonly ScannedRow<V>[]> {
    return this.#read({ kind: "scan", table, options }) as Promise<readonly ScannedRow<V>[]>;
  }

  count(table: string, options: Pick<ScanOptions, "index" | "range">): Promise<number> {
    return this.#read({ kind: "count", table, options }) as Promise<number>;
  }

  transact<T>(options: TransactOptions, script: () => StorageScript<T>): Promise<T> {
    return this.#during(() => {
      assertTables(this.#parts.layout, options.tables);
      return this.#parts.store.turn(() => this.#transact(options, script));
    });
  }

  estimate(): Promise<StorageEstimate> {
    return this.#during(() => ({ persisted: false, usedBytes: undefined, quotaBytes: undefined }));
  }

  async close(): Promise<void> {
    if (isTillSyncError(this.#ended, "client_closed")) return;
    this.#end(closedError());
    await this.#finished();
    await this.#before({ kind: "close" });
  }

  async destroy(): Promise<void> {
    this.#assertOpen();
    this.#end(closedError());
    await this.#finished();
    await this.#parts.store.turn(async () => {
      await this.#before({ kind: "destroy" });
      this.#parts.store.supersedeAll();
      this.#parts.store.clear();
    });
  }

  /** Another connection changed the layout, or deleted the store. */
  supersede(): void {
    this.#end(supersededError("memory"));
    this.#parts.hooks.onSuperseded();
  }

  async #transact<T>(options: TransactOptions, script: () => StorageScript<T>): Promise<T> {
    const { label, durability, tables } = options;
    if (isTillSyncError(this.#ended, "storage_unavailable")) throw this.#ended;
    const hasFaults = this.#parts.faults.before !== undefined;
    if (hasFaults) await this.#before({ kind: "transact", label, durability });
    // Nothing is awaited from here to the commit, so no other transaction can change what the script reads.
    const running = script();
    let step = running.next();
    while (!step.done) {
      assertDeclared(tables, step.value);
      step = running.next(step.value.map((read) => this.#answer(read)));
    }
    const { value, writes } = step.value;
    assertDeclared(tables, writes);
    const changes = writes.map((write) => this.#prepare(write));
    if (hasFaults) await this.#before({ kind: "commit", label, durability });
    for (const change of changes) {
      if ("row" in change) change.table.put(change.row);
      else change.table.delete(change.gone);
    }
    if (hasFaults) await this.#before({ kind: "committed", label, durability });
    return value;
  }

  /** Does everything of a write that could throw. */
  #prepare(write: StorageWrite): Change {
    const table = this.#parts.store.table(write.table);
    if (write.kind === "delete") return { table, gone: write.key };
    try {
      return { table, row: table.prepare(write.key, frozenCopy(write.value)) };
    } catch (cause) {
      throw new TillSyncError(
        "internal",
        `A value for the table "${write.table}" can't be stored: ${String(cause)}`,
        {},
        { cause },
      );
    }
  }

  #read(read: StorageRead): Promise<unknown> {
    return this.#during(async () => {
      if (this.#parts.faults.before !== undefined) await this.#before({ kind: read.kind, table: read.table });
      return this.#answer(read);
    });
  }

  #answer(read: StorageRead): unknown {
    assertRead(this.#parts.layout, read);
    const table = this.#parts.store.table(read.table);
    if (read.kind === "get") return read.keys.map((key) => table.get(key));
    return read.kind === "scan" ? table.scan(read.options) : table.count(read.options);
  }

  #before(step: Step): void | Promise<void> {
    return this.#parts.faults.before?.({ ...step, store: this.#parts.name });
  }

  async #during<T>(work: () => T | Promise<T>): Promise<T> {
    this.#assertOpen();
    this.#underWay++;
    try {
      return await work();
    } finally {
      if (--this.#underWay === 0) this.#idle.resolve();
    }
  }

  #assertOpen(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  #end(reason: TillSyncError): void {
    this.#ended = reason;
    this.#parts.store.occupants.delete(this);
  }

  async #finished(): Promise<void> {
    this.#idle = deferred<void>();
    if (this.#underWay > 0) await this.#idle.promise;
  }
}
