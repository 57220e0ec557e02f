/**
 * A server store in one SQLite file, for one machine.
 *
 * - The file has a write-ahead log with `synchronous = full`: a transaction that has resolved is on disk.
 * - `begin immediate` is the clock lock of the port. SQLite has one writer, so it locks every tenant at once.
 * - The driver is synchronous, and so are scripts: nothing else in this process runs between `begin` and `commit`.
 *   One connection is enough for readers too: a read never finds a transaction half done, and does not queue behind
 *   writers that wait for another process.
 * - Any number of processes may open the same file on a local disk. A process that finds it locked waits and starts
 *   again.
 */
import { type Clock, systemClock } from "../../shared/clock.ts";
import { invalidOption } from "../../shared/errors.ts";
import { type Random, systemRandom } from "../../shared/random.ts";
import type { ServerStore, StoreReadScript, StoreScript } from "../ports/store.ts";
import { retryWhile } from "../sql/retry.ts";
import type { Connection } from "./connection.ts";
import { findDriver, type OpenSqlite, type SyncSqliteDriver } from "./driver.ts";
import { isBusy, storeError, unavailable } from "./errors.ts";
import { migrations } from "./migrations/all.ts";
import { type OpenedDatabase, openDatabase } from "./open-database.ts";
import { runRead } from "./reads.ts";
import { isStorable } from "./table.ts";
import { applyWrites } from "./writes.ts";

/** What `sqliteStore` takes. */
export interface SqliteStoreOptions {
  /**
   * The path of the file. If there is none, it is created; its folder must exist, on a local disk. `":memory:"` keeps
   * nothing and is for tests.
   */
  readonly path: string;
  /**
   * An open database, which belongs to the store from then on, or a function that opens `path`. Everything else in this
   * process that opens the file must use the same library: file locks belong to the process, and two libraries do not
   * see each other's.
   * @default the first one available of `node:sqlite`, `libsql` and `better-sqlite3`
   */
  readonly driver?: SyncSqliteDriver | OpenSqlite | undefined;
  /** How long a call waits, in ms, while another process holds the write lock. @default 10_000 */
  readonly busyTimeoutMs?: number | undefined;
  /** For the secret and for jitter. @default the platform's randomness */
  readonly random?: Random | undefined;
  /** For the waits. @default the platform's clock */
  readonly clock?: Pick<Clock, "monotonic" | "sleep"> | undefined;
}

/**
 * A server store in one SQLite file. It does nothing yet: the first call opens, creates and migrates the file. If
 * that fails, the call rejects with `storage_unavailable`, `storage_newer` or `storage_corrupt`, and the next call
 * tries again.
 *
 * @example
 * ```ts
 * const store = sqliteStore({ path: "shop.sqlite" });
 * const handler = createSyncHandler({ store, authenticate, collections, policies });
 * ```
 * @throws TillSyncError `invalid_option`
 */
export function sqliteStore(options: SqliteStoreOptions): ServerStore {
  if (typeof options?.path !== "string" || options.path === "") {
    throw invalidOption(
      "path",
      "the path of a file",
      options?.path,
      'For example sqliteStore({ path: "shop.sqlite" }).',
    );
  }
  return new SqliteStore(options);
}

class SqliteStore implements ServerStore {
  readonly kind = "sqlite";
  readonly "~port" = "server-store";
  readonly #options: SqliteStoreOptions;
  readonly #random: Random;
  readonly #clock: Pick<Clock, "monotonic" | "sleep">;
  #database: Promise<OpenedDatabase> | undefined;
  /** Resolves, and never rejects, when the last transaction that was requested has ended. */
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    this.#random = options.random ?? systemRandom;
    this.#clock = options.clock ?? systemClock;
  }

  async transact<T>(tenant: string, script: () => StoreScript<T>): Promise<T> {
    const turn = this.#tail.then(() =>
      this.#use(({ connection }) =>
        connection.transaction("immediate", () => {
          const { value, writes } = drive(connection, tenant, script);
          applyWrites(connection, tenant, writes);
          return value;
        }),
      ),
    );
    this.#tail = turn.then(ignore, ignore);
    return turn;
  }

  async read<T>(tenant: string, script: () => StoreReadScript<T>): Promise<T> {
    return this.#use(({ connection }) => connection.transaction("deferred", () => drive(connection, tenant, script)));
  }

  async secret(): Promise<string> {
    return this.#use(({ secret }) => secret);
  }

  async close(): Promise<void> {
    await this.#tail;
    this.#closed = true;
    const database = this.#database;
    this.#database = undefined;
    const connection = (await database?.catch(ignore))?.connection;
    if (connection === undefined) return;
    try {
      // Some drivers close the file later than `close` returns, and then without merging its log: anyone who copies the
      // file now must find everything in it.
      connection.all("pragma wal_checkpoint(truncate)");
    } catch {
      // Nothing is lost: the next process that opens the file finds the log.
    }
    connection.close();
  }

  /** `work` is synchronous: it ends every transaction that it begins. */
  async #use<T>(work: (database: OpenedDatabase) => T): Promise<T> {
    const retry = { clock: this.#clock, random: this.#random, busyTimeoutMs: this.#options.busyTimeoutMs ?? 10_000 };
    try {
      return await retryWhile(retry, isBusy, async () => {
        const database = await this.#open();
        this.#refuseClosed(); // closed while it opened
        try {
          return work(database);
        } finally {
          if (database.connection.broken) this.#discard(database.connection);
        }
      });
    } catch (error) {
      throw storeError(error);
    }
  }

  #open(): Promise<OpenedDatabase> {
    this.#refuseClosed();
    if (this.#database !== undefined) return this.#database;
    const opening = this.#openAnew();
    this.#database = opening;
    opening.catch(() => {
      if (this.#database === opening) this.#database = undefined; // the next call tries again
    });
    return opening;
  }

  async #openAnew(): Promise<OpenedDatabase> {
    const { path, driver } = this.#options;
    const open = typeof driver === "function" ? driver : driver === undefined ? await findDriver() : () => driver;
    return openDatabase(path, open, migrations, this.#random);
  }

  #discard(connection: Connection): void {
    this.#database = undefined;
    connection.close();
  }

  #refuseClosed(): void {
    if (this.#closed) throw unavailable("The store is closed.");
  }
}

/** Runs a script to its end. A script can wait only for reads. */
function drive<T>(connection: Connection, tenant: string, script: () => StoreReadScript<T>): T {
  if (!isStorable(tenant)) throw unavailable("Expected a tenant without U+0000 and lone surrogates.");
  const steps = script();
  let step = steps.next();
  while (step.done !== true) step = steps.next(step.value.map((read) => runRead(connection, tenant, read)));
  return step.value;
}

function ignore(): void {}
