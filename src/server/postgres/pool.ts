/** A bounded number of connections. Nothing is set on them: a pooler may give their sessions to other clients. */
import { Connection, type Preparing, type Statement } from "./connection.ts";
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
  /** Host, port and database, for messages. */
  readonly #where: string;
  readonly #pooled = new WeakMap<PgPoolClient, Pooled>();
  readonly #preparing: Preparing = { named: true };

  constructor(pool: PgPool, where: string) {
    this.#pool = pool;
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
    const pooled = this.#pooled.get(client) ?? this.#first(client);
    try {
      pooled.uses++;
      if (isPowerOfTwo(pooled.uses)) await pooled.connection.run([DISCARD_PLANS]);
      return await work(pooled.connection);
    } finally {
      client.release(pooled.connection.broken);
    }
  }

  #first(client: PgPoolClient): Pooled {
    const pooled = { connection: new Connection(client, this.#preparing), uses: 0 };
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
