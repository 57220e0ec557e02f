/**
 * A server store in PostgreSQL: any number of processes share one database, without sticky sessions.
 *
 * - The tenant's row in `clocks`, which each writing transaction locks, is the clock lock of the port. Tenants do not
 *   wait for each other, and readers wait for no writer.
 * - Transactions of one tenant queue in this process and hold no connection meanwhile: a shop to which fifty tills
 *   push takes one connection of the pool.
 * - Scripts are synchronous and the database is not: each step of a script is one round trip, and so are its writes
 *   together with their commit.
 * - Nothing here needs a sequence, an advisory lock, a trigger or LISTEN.
 */
import { type Clock, systemClock } from "../../shared/clock.ts";
import { expectOption } from "../../shared/errors.ts";
import { type Random, systemRandom } from "../../shared/random.ts";
import type { ServerStore, StoreReadScript, StoreScript } from "../ports/store.ts";
import { type RetryOptions, retryWhile } from "../sql/retry.ts";
import type { Connection } from "./connection.ts";
import { isCreatedTwice, isSerialization, isUnprepared, storeError, unavailable } from "./errors.ts";
import { migrations } from "./migrations/all.ts";
import { type DatabaseOptions, type OpenedDatabase, openDatabase } from "./open-database.ts";
import { isStorable } from "./table.ts";
import { readOnce, type Tenancy, transactOnce } from "./transaction.ts";

/** What `postgresStore` takes. */
export interface PostgresStoreOptions {
  /**
   * `postgres://user:password@host:port/database`, with the parameters that `pg` reads after a `?`. It is in no message
   * and in no log.
   */
  readonly url: string;
  /**
   * The schema of the tables, created if there is none: up to 63 lower-case letters, digits and `_`, not beginning
   * with a digit.
   * @default "tillsync"
   */
  readonly schema?: string | undefined;
  /**
   * An ordinary role that transactions take, to which row-level security applies. The user of `url` must be a member.
   * @default the user of `url`; if it is a superuser or has BYPASSRLS, `tillsync_tenants`, created if there is none
   */
  readonly role?: string | undefined;
  /** The largest number of connections that this process opens for transactions. @default 10 @minimum 1 */
  readonly maxConnections?: number | undefined;
  /**
   * How long a call waits, in ms: for a connection, and while another process holds the tenant's clock row.
   * @default 10_000
   * @minimum 1
   */
  readonly busyTimeoutMs?: number | undefined;
  /**
   * How long one statement may take, and how long a transaction may be idle, in ms.
   * @default 30_000
   * @minimum 1
   */
  readonly statementTimeoutMs?: number | undefined;
  /** For the secret and for jitter. @default the platform's randomness */
  readonly random?: Random | undefined;
  /** For the waits. @default the platform's clock */
  readonly clock?: Pick<Clock, "monotonic" | "sleep"> | undefined;
}

/**
 * A server store in PostgreSQL, for any number of processes. It does nothing yet: `openStore`, or the first call,
 * connects and migrates.
 * If that fails, the call rejects with `storage_unavailable`, `storage_newer` or `storage_corrupt`, and the next call
 * tries again.
 *
 * @example
 * ```ts
 * const store = postgresStore({ url: "postgres://app@db.example/shop" }); // password: PGPASSWORD or ~/.pgpass
 * const server = createSyncServer({ store, pokes: postgresPokes({ url }), authenticate, collections, policies });
 * ```
 * @throws TillSyncError `invalid_option`
 */
export function postgresStore(options: PostgresStoreOptions): ServerStore {
  return new PostgresStore(resolveOptions(options));
}

interface ResolvedPostgresStoreOptions extends DatabaseOptions {
  readonly random: Random;
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
}

const URL_SCHEME = /^postgres(ql)?:\/\//;
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;
const ROLE = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/;

function resolveOptions(options: PostgresStoreOptions): ResolvedPostgresStoreOptions {
  const { url, schema = "tillsync", role, maxConnections = 10 } = options ?? {};
  const { busyTimeoutMs = 10_000, statementTimeoutMs = 30_000 } = options ?? {};
  checkUrl(url);
  const isSchema = typeof schema === "string" && SCHEMA.test(schema);
  expectOption(isSchema, "schema", "lower-case letters, digits and _", schema, 'Leave it out for "tillsync".');
  const isRole = role === undefined || (typeof role === "string" && ROLE.test(role));
  expectOption(isRole, "role", "the name of a role: letters, digits, _ and -", role, "Leave it out for the default.");
  for (const [name, value] of Object.entries({ maxConnections, busyTimeoutMs, statementTimeoutMs })) {
    const isCount = Number.isSafeInteger(value) && value >= 1;
    expectOption(isCount, name, "an integer from 1", value, "Leave it out for the default.");
  }
  const { random = systemRandom, clock = systemClock } = options;
  return { url, schema, role, maxConnections, busyTimeoutMs, statementTimeoutMs, random, clock };
}

/** @throws TillSyncError `invalid_option` */
export function checkUrl(url: unknown): asserts url is string {
  const isUrl = typeof url === "string" && URL_SCHEME.test(url);
  // Any text may contain a password: only its kind is shown.
  const shown = typeof url === "string" ? [] : url;
  expectOption(
    isUrl,
    "url",
    'a URL that begins with "postgres://"',
    shown,
    "For example postgres://app@db.example/shop.",
  );
}

class PostgresStore implements ServerStore {
  readonly kind = "postgres";
  readonly "~port" = "server-store";
  readonly #options: ResolvedPostgresStoreOptions;
  readonly #queue = new KeyedQueue();
  readonly #calls = new Set<Promise<unknown>>();
  #database: Promise<OpenedDatabase> | undefined;
  #closed = false;

  constructor(options: ResolvedPostgresStoreOptions) {
    this.#options = options;
  }

  transact<T>(tenant: string, script: () => StoreScript<T>): Promise<T> {
    const { clock, busyTimeoutMs } = this.#options;
    const deadline = clock.monotonic() + busyTimeoutMs;
    return this.#call(() =>
      this.#queue.run(tenant, () => {
        // Each transaction before this one may have waited for the row: without a deadline, the hundredth would wait a
        // hundred times as long.
        if (clock.monotonic() > deadline)
          throw unavailable("Earlier transactions waited for the tenant's clock row for too long.");
        return this.#use(tenant, (connection, tenancy) => transactOnce(connection, tenancy, script));
      }),
    );
  }

  read<T>(tenant: string, script: () => StoreReadScript<T>): Promise<T> {
    return this.#call(() => this.#use(tenant, (connection, tenancy) => readOnce(connection, tenancy, script)));
  }

  secret(): Promise<string> {
    return this.#call(async () => (await this.#open()).secret);
  }

  async close(): Promise<void> {
    this.#closed = true;
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
    const database = this.#database;
    this.#database = undefined;
    await (await database?.catch(() => undefined))?.pool.end();
  }

  /** The store stays open until `work` has settled. */
  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw unavailable("The store is closed.");
    const call = work();
    this.#calls.add(call);
    try {
      return await call;
    } catch (error) {
      throw storeError(error);
    } finally {
      this.#calls.delete(call);
    }
  }

  async #use<T>(tenant: string, work: (connection: Connection, tenancy: Tenancy) => Promise<T>): Promise<T> {
    if (!isStorable(tenant)) throw unavailable("Expected a tenant without U+0000 and lone surrogates.");
    const { pool, settings } = await this.#open();
    const tenancy = { tenant, settings: settings(tenant) };
    const hadNoEffect = (error: unknown) => isSerialization(error) || isUnprepared(error);
    return retryWhile(this.#retry, hadNoEffect, () => pool.use((connection) => work(connection, tenancy)));
  }

  #open(): Promise<OpenedDatabase> {
    if (this.#database !== undefined) return this.#database;
    const isTransient = (error: unknown) => isCreatedTwice(error) || isSerialization(error);
    const opening = retryWhile(this.#retry, isTransient, () =>
      openDatabase(this.#options, migrations, this.#options.random),
    );
    this.#database = opening;
    opening.catch(() => {
      if (this.#database === opening) this.#database = undefined; // the next call tries again
    });
    return opening;
  }

  get #retry(): RetryOptions {
    return this.#options;
  }
}

/** Runs the work of each key one at a time, in the order of the calls. */
class KeyedQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const over = turn.then(ignore, ignore).then(() => {
      if (this.#last.get(key) === over) this.#last.delete(key);
    });
    this.#last.set(key, over);
    return turn;
  }
}

function ignore(): void {}
