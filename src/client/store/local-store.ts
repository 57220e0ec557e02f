/** The client's connection to its local store: opens it on first use, and reports what was committed. */
import type { ResolvedCollections } from "../../schema/collections.ts";
import { isTillSyncError, TillSyncError } from "../../shared/errors.ts";
import type { OperationEvent } from "../decide/results.ts";
import type { RowChange } from "../decide/workspace.ts";
import type {
  ScannedRow,
  ScanOptions,
  StorageAdapter,
  StorageConnection,
  StorageEstimate,
  StorageScript,
} from "../ports/storage.ts";
import type { CursorState, Identity, QueueState, SyncPoint } from "../state/meta.ts";
import type { StoredRow } from "../state/rows.ts";
import { collectionOf, storageLayout, tableOf, tablesFor } from "../state/tables.ts";
import { rowNow } from "../state/versions.ts";

/** What a commit changed. Live queries, waits and the status are updated from it. */
export interface Commit {
  readonly changes?: readonly RowChange[] | undefined;
  readonly identity?: Identity | undefined;
  readonly queue?: QueueState | undefined;
  readonly point?: SyncPoint | undefined;
  readonly cursors?: Readonly<Record<string, CursorState>> | undefined;
  readonly events?: readonly OperationEvent[] | undefined;
  /** Collections in which another client of this store has written; it is not known which rows. */
  readonly changedElsewhere?: readonly string[] | undefined;
}

/** All that a client keeps in memory of its store. */
export interface StoreSnapshot {
  readonly identity: Identity | undefined;
  readonly queue: QueueState;
  readonly point: SyncPoint;
  readonly cursors: Readonly<Record<string, CursorState>>;
}

export interface LocalStoreHooks {
  /** Called once with each connection, before any caller gets it. */
  opened(connection: StorageConnection): Promise<void>;
  /** Called after each commit, before the caller of the write resumes. */
  committed(commit: Commit): void;
  /** The store can't be used. `told`: a caller has received the error too. */
  failed(error: unknown, told: boolean): void;
  /** The database was deleted while the client had it open. */
  deleted(): void;
  /** The platform refused to give more space. */
  full(): void;
}

export class LocalStore {
  readonly collections: ResolvedCollections;
  readonly scope: string;
  readonly #adapter: StorageAdapter;
  readonly #name: string;
  readonly #events: LocalStoreHooks;
  #opening: Promise<StorageConnection> | undefined;
  #closed = false;

  constructor(adapter: StorageAdapter, name: string, collections: ResolvedCollections, events: LocalStoreHooks) {
    this.#adapter = adapter;
    this.#name = name;
    this.collections = collections;
    this.scope = adapter.scope(name);
    this.#events = events;
  }

  /** Opens the store once. If that fails, the next call tries again. */
  open(): Promise<StorageConnection> {
    if (this.#closed) return Promise.reject(closed());
    if (this.#opening !== undefined) return this.#opening;
    const hooks = {
      onFailure: (error: unknown) => this.#events.failed(error, false),
      onSuperseded: () => this.#superseded(),
      onDeleted: () => this.#events.deleted(),
    };
    const opening = this.#adapter.open(this.#name, storageLayout(this.collections), hooks).then(async (connection) => {
      try {
        await this.#events.opened(connection);
      } catch (error) {
        await connection.close();
        throw error;
      }
      return connection;
    });
    this.#opening = opening;
    opening.catch((error: unknown) => {
      if (this.#opening === opening) this.#opening = undefined;
      if (!this.#closed) this.#events.failed(error, true);
    });
    return opening;
  }

  /** Rows of collections are returned in the schema version of the app [H7]. */
  async get<V>(table: string, keys: readonly string[]): Promise<readonly (V | undefined)[]> {
    const found = await (await this.open()).get<V>(table, keys);
    const now = this.#reader<V>(table);
    return now ? found.map((row) => row && now(row)) : found;
  }

  /** The same for a scan. */
  async scan<V>(table: string, options: ScanOptions): Promise<readonly ScannedRow<V>[]> {
    const found = await (await this.open()).scan<V>(table, options);
    const now = this.#reader<V>(table);
    return now ? found.map((row) => ({ ...row, value: now(row.value) })) : found;
  }

  #reader<V>(table: string): ((row: V) => V) | undefined {
    const name = collectionOf(table);
    const definition = table === tableOf(name) ? this.collections[name] : undefined;
    return definition && ((row) => rowNow(name, definition, row as unknown as StoredRow) as unknown as V);
  }

  async count(table: string, options: Pick<ScanOptions, "index" | "range">): Promise<number> {
    return (await this.open()).count(table, options);
  }

  async estimate(): Promise<StorageEstimate> {
    return (await this.open()).estimate();
  }

  /**
   * Runs a script, and reports what it committed before its caller resumes, so whoever awaits a write finds every view
   * of it changed. `strict` is for what a person was promised; `relaxed` is for what the server would answer or send
   * again.
   */
  async transact<T>(
    label: string,
    durability: "strict" | "relaxed",
    collections: readonly string[],
    script: () => StorageScript<T>,
    committed?: (value: T) => Commit,
  ): Promise<T> {
    const connection = await this.open();
    const tables = tablesFor(collections);
    const value = await connection.transact({ tables, durability, label }, script).catch((error: unknown) => {
      if (isTillSyncError(error, "storage_full")) this.#events.full();
      throw error;
    });
    if (committed) this.#events.committed(committed(value));
    return value;
  }

  /** Closes the connection. Later calls reject with `client_closed`. */
  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    this.#opening = undefined;
    const connection = await opening?.catch(() => undefined);
    await connection?.close();
  }

  /**
   * Another tab has opened the store with a newer layout, so this connection is closed. The next call opens one with
   * the layout that is there then.
   */
  #superseded(): void {
    this.#opening = undefined;
    this.#events.failed(
      new TillSyncError(
        "storage_unavailable",
        "Another window has opened this store with a newer version of the app. Reload this one.",
        { adapter: this.#adapter.kind },
      ),
      false,
    );
  }
}

/** The error of every call after `close()`. */
export function closed(): TillSyncError<"client_closed"> {
  return new TillSyncError(
    "client_closed",
    "The client has been closed. Create a new one with createSyncClient().",
    {},
  );
}
