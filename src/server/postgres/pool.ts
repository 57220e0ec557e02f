/** A bounded number of connections, each configured before its first use. */
import { Connection, type Statement } from "./connection.ts";
import type { PgPool, PgPoolClient } from "./driver.ts";
import { unreachable } from "./errors.ts";

/**
 * A plan is made once per connection, for the tables as they are then: a plan for an empty table still scans all of it
 * when it has a million rows, until the table is analysed. So plans are discarded after 1, 2, 4, 8, … uses of a
 * connection, to follow the growth of the tables.
 */
const DISCARD_PLANS: Statement = { text: "discard plans", values: [] };

interface Pooled {
  readonly connection: Connection;
  uses: number;
}

export class ConnectionPool {
  readonly #pool: PgPool;
  readonly #settings: Statement;
  /** Host, port and database, for messages. */
  readonly #where: string;
  readonly #pooled = new WeakMap<PgPoolClient, Pooled>();

  constructor(pool: PgPool, settings: Statement, where: string) {
    this.#pool = pool;
    this.#settings = settings;
    this.#where = where;
    // A connection that fails in use rejects its request there; the pool replaces one that fails while idle.
    // Without a listener, Node would end the process.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** Runs `work` with a connection of its own. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw unreachable(this.#where, error);
    });
    let pooled: Pooled | undefined;
    try {
      pooled = this.#pooled.get(client) ?? (await this.#prepared(client));
      pooled.uses++;
      if (isPowerOfTwo(pooled.uses)) await pooled.connection.run([DISCARD_PLANS]);
      return await work(pooled.connection);
    } finally {
      client.release(pooled === undefined || pooled.connection.broken);
    }
  }

  async #prepared(client: PgPoolClient): Promise<Pooled> {
    const connection = new Connection(client);
    await connection.run([this.#settings]);
    const pooled = { connection, uses: 0 };
    this.#pooled.set(client, pooled);
    return pooled;
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

function isPowerOfTwo(count: number): boolean {
  return Number.isInteger(Math.log2(count));
}
