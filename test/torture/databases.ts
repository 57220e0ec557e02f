/** The databases that the servers are put on: what they hold, read by SQL and past the servers; and PostgreSQL can be killed itself. */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { findPostgres, startPostgres } from "../../scripts/postgres.mjs";
import type { ServerBooks } from "./books.ts";
import { booksFrom, EPOCHS, OPERATIONS, RECORDS, type SqlRow } from "./server-books.ts";

export interface Database {
  /** What `--database` of the server is given. */
  readonly address: string;
  /** How many processes it has to bear. */
  readonly servers: number;
  /** Whether it can be read while a server uses it. */
  readonly isShared: boolean;
  read(tenant: string): Promise<ServerBooks>;
  /** Of one that we may kill: the database itself. */
  kill?(): Promise<void>;
  /** Resolves when it has recovered. */
  start?(): Promise<void>;
  end(): Promise<void>;
}

const SHARING_SERVERS = 2;

/** Only while nothing has the file open: what a killed server left is looked at in a copy, and it is the next server that recovers it. */
export function sqliteFile(folder: string): Database {
  const address = join(folder, "shop.sqlite");
  return {
    address,
    servers: 1,
    isShared: false,
    async read(tenant) {
      // A new one each time: libsql lets go of a closed file only when its statements are collected as garbage.
      const copy = await mkdtemp(join(folder, "look-"));
      for (const file of ["", "-wal"]) await copyFile(address + file, join(copy, `shop.sqlite${file}`)).catch(ifThere);
      const { default: Libsql } = await import("libsql");
      const database = new Libsql(join(copy, "shop.sqlite"));
      try {
        const all = (sql: string, ...values: string[]) => database.prepare(sql).all(...values) as SqlRow[];
        const [damage] = all("pragma integrity_check");
        if (damage?.integrity_check !== "ok") throw new Error(`The database is damaged: ${JSON.stringify(damage)}`);
        return booksFrom(all(`${RECORDS}?`, tenant), all(`${OPERATIONS}?`, tenant), all(`${EPOCHS}?`, tenant));
      } finally {
        database.close();
        await rm(copy, { recursive: true });
      }
    },
    end: async () => {},
  };
}

/** Somebody's own: it is shared, and never killed. */
export function sharedPostgres(url: string): Database {
  return {
    address: url,
    servers: SHARING_SERVERS,
    isShared: true,
    async read(tenant) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        // One snapshot: what the servers commit in between is in all of the answers, or in none.
        await client.query("begin isolation level repeatable read read only");
        await client.query(
          "select set_config('search_path', 'tillsync', true), set_config('tillsync.tenant', $1, true)",
          [tenant],
        );
        const all = async (sql: string) => (await client.query(`${sql}$1`, [tenant])).rows as SqlRow[];
        return booksFrom(await all(RECORDS), await all(OPERATIONS), await all(EPOCHS));
      } finally {
        await client.end();
      }
    },
    end: async () => {},
  };
}

/** A cluster of this run: it is killed as the servers are. */
export async function ownPostgres(): Promise<Database> {
  const found = findPostgres();
  if (found === undefined || "url" in found) {
    throw new Error(
      "Expected the binaries of a PostgreSQL, to start one that may be killed; " +
        (found === undefined
          ? "found none. `npm test -- postgres` brings one."
          : "PG_URL is set. Give it as --database, or unset it."),
    );
  }
  const { url, stop, kill, start } = await startPostgres(found);
  if (kill === undefined || start === undefined) throw new Error("Expected a PostgreSQL of our own");
  return { ...sharedPostgres(url), kill, start, end: stop };
}

/** A log that is not there has nothing in it. */
function ifThere(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
