/** The PostgreSQL of this run: databases that no other test uses, and queries that bypass a store. */
import pg from "pg";
import { inject } from "vitest";

let made = 0;
/** Unique, since a developer's own server may still have databases of an earlier run. */
const run = `${process.pid}_${Math.floor(performance.timeOrigin % 1e9)}`;

export const newName = (kind: string) => `tillsync_test_${kind}_${run}_${++made}`;

/** The URL of the user who may do everything. */
export const serverUrl = () => inject("postgres");

/** The URL of another database or another user of the same server. */
export function urlOf(change: { database?: string; user?: string; password?: string; port?: string }): string {
  const url = new URL(serverUrl());
  if (change.database !== undefined) url.pathname = `/${change.database}`;
  if (change.user !== undefined) url.username = change.user;
  if (change.password !== undefined) url.password = change.password;
  if (change.port !== undefined) url.port = change.port;
  return url.href;
}

export type Rows = readonly Record<string, unknown>[];

export async function query(url: string, text: string, values: readonly unknown[] = []): Promise<Rows> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {}); // a test may end it
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

export interface TestDatabase {
  readonly url: string;
  query(text: string, values?: readonly unknown[]): Promise<Rows>;
  drop(): Promise<void>;
}

export async function newDatabase(): Promise<TestDatabase> {
  const name = newName("db");
  await query(serverUrl(), `create database ${name} encoding 'UTF8' template template0`);
  const url = urlOf({ database: name });
  return {
    url,
    query: (text, values) => query(url, text, values),
    drop: async () => void (await query(serverUrl(), `drop database ${name} with (force)`)),
  };
}
