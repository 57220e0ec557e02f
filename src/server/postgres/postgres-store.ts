/**
 * A server store in PostgreSQL: any number of processes on one database, nothing sticky.
 *
 * - The tenant's row in `clocks`, locked by each transaction that writes, is the clock lock of the port. Tenants do not wait
 *   for each other, readers for nobody.
 * - What waits for a tenant waits in this process, and not with a connection in its hand: one shop that is pushed to by fifty
 *   tills takes one connection of the pool.
 * - Scripts are synchronous and the database is not: each step of a script is one round trip, and so are its writes with
 *   their commit.
 * - Nothing here needs a sequence, an advisory lock, a trigger or LISTEN.
 */
import { type Clock, systemClock } from "../../shared/clock.ts";
import { expectOption } from "../../shared/errors.ts";
import { type Random, systemRandom } from "../../shared/random.ts";
import type { ServerStore, StoreReadScript, StoreScript } from "../ports/store.ts";
import { type RetryOptions, retryWhile } from "../sql/retry.ts";
import type { Connection } from "./connection.ts";
import { isMadeTwice, isSerialization, storeError, unavailable } from "./errors.ts";
import { migrations } from "./migrations/all.ts";
import { type DatabaseOptions, type OpenedDatabase, openDatabase } from "./open-database.ts";
import { isStorable } from "./table.ts";
import { readOnce, transactOnce } from "./transaction.ts";
import { KeyedQueue } from "./turns.ts";

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`, with what `pg` reads behind a `?`. It is in no message, nor in any log. */
  readonly url: string;
  /** Where the tables are, made where there is none: lower-case letters, digits and `_`. @default "tillsync" */
  readonly schema?: string | undefined;
  /**
   * An ordinary role that transactions run as, and that row-level security holds for. The user of `url` must be a member of it.
   * @default the user of `url`; if that is a superuser, or has BYPASSRLS: `tillsync_tenants`, made where there is none
   */
  readonly role?: string | undefined;
  /** Of this process. @default 10 */
  readonly maxConnections?: number | undefined;
  /** How long a call waits, in ms, for a connection, and while another process holds the tenant's clock row. @default 10_000 */
  readonly busyTimeoutMs?: number | undefined;
  /** The longest that one statement may take, in ms, and that a transaction may stand still. @default 30_000 */
  readonly statementTimeoutMs?: number | undefined;
  /** For the secret and for jitter. @default the platform's */
  readonly random?: Random | undefined;
  /** For the waits. @default the platform's */
  readonly clock?: Pick<Clock, "monotonic" | "sleep"> | undefined;
}

/**
 * Asks the database for nothing yet: it is migrated by the first call, which rejects with `storage_unavailable`,
 * `storage_newer` or `storage_corrupt` where that fails; the next call tries again.
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
  // Whatever it is, a password may be in it: its kind is all that is shown.
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
  readonly #turns = new KeyedQueue();
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
      this.#turns.run(tenant, () => {
        // Behind others who each waited for the row: without this, the hundredth would wait a hundred times as long.
        if (clock.monotonic() > deadline)
          throw unavailable("Others have waited for the tenant's clock row for too long.");
        return this.#use(tenant, (connection) => transactOnce(connection, tenant, script));
      }),
    );
  }

  read<T>(tenant: string, script: () => StoreReadScript<T>): Promise<T> {
    return this.#call(() => this.#use(tenant, (connection) => readOnce(connection, tenant, script)));
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

  /** Until it has settled, the store stays open for it. */
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

  async #use<T>(tenant: string, work: (connection: Connection) => Promise<T>): Promise<T> {
    if (!isStorable(tenant)) throw unavailable("Expected a tenant without U+0000 and lone surrogates.");
    const { pool } = await this.#open();
    return retryWhile(this.#patience, isSerialization, () => pool.use(work));
  }

  #open(): Promise<OpenedDatabase> {
    if (this.#database !== undefined) return this.#database;
    const passes = (error: unknown) => isMadeTwice(error) || isSerialization(error);
    const opening = retryWhile(this.#patience, passes, () =>
      openDatabase(this.#options, migrations, this.#options.random),
    );
    this.#database = opening;
    opening.catch(() => {
      if (this.#database === opening) this.#database = undefined; // the next call tries again
    });
    return opening;
  }

  get #patience(): RetryOptions {
    return this.#options;
  }
}
