/** A bounded number of connections, each told its settings before its first use. (server/postgres) */
import { Connection, type Statement } from "./connection.ts";
import type { PgPool, PgPoolClient } from "./driver.ts";
import { unreachable } from "./errors.ts";

export class ConnectionPool {
  readonly #pool: PgPool;
  readonly #settings: Statement;
  /** Host, port and database, for messages. */
  readonly #where: string;
  readonly #connections = new WeakMap<PgPoolClient, Connection>();

  constructor(pool: PgPool, settings: Statement, where: string) {
    this.#pool = pool;
    this.#settings = settings;
    this.#where = where;
    // A connection that failed is noticed where it is used, and one that failed unused is not missed: the pool makes another.
    // Without a listener, Node would end the process.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
  }

  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw unreachable(this.#where, error);
    });
    let isReady = true;
    let connection = this.#connections.get(client);
    try {
      if (connection === undefined) {
        isReady = false;
        connection = new Connection(client);
        await connection.run([this.#settings]);
        this.#connections.set(client, connection);
        isReady = true;
      }
      return await work(connection);
    } finally {
      client.release(!isReady || connection?.broken === true);
    }
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}
