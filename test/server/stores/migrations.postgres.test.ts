import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Connection } from "../../../src/server/postgres/connection.ts";
import type { PgClient } from "../../../src/server/postgres/driver.ts";
import { postgresStore } from "../../../src/server/postgres/index.ts";
import { migrate as migrateWith } from "../../../src/server/postgres/migrate.ts";
import { migrations } from "../../../src/server/postgres/migrations/all.ts";
import type { CheckedMigration } from "../../../src/server/sql/migrations.ts";
import { read, takePosition } from "../../../src/server/testing/calls.ts";
import { newDatabase, newName, type TestDatabase } from "../../support/postgres.ts";
import { expectations, firstMigration, insertions } from "./first-version.ts";

let database: TestDatabase;
const clients: pg.Client[] = [];
beforeAll(async () => {
  database = await newDatabase();
});
afterAll(async () => {
  for (const client of clients) await client.end();
  await database.drop();
});

async function connected(schema: string): Promise<Connection> {
  const client = new pg.Client({ connectionString: database.url });
  clients.push(client);
  await client.connect();
  await client.query(`create schema if not exists ${schema}; set search_path = ${schema}`);
  return new Connection(client as unknown as PgClient);
}

const first: CheckedMigration = { number: 1, name: "first", sql: "create table one (a text)", checksum: "c1" };
const second: CheckedMigration = {
  number: 2,
  name: "second",
  sql: "create table two (a text); insert into one values ('x')",
  checksum: "c2",
};

/** The connection has the search path already. */
const migrate = (connection: Connection, known: readonly CheckedMigration[]) =>
  migrateWith(connection, { text: "select 1", values: [] }, known);

const tables = async (connection: Connection) =>
  (
    await connection.all(
      "select tablename from pg_tables where schemaname = current_schema() and tablename not like 'tillsync%' order by 1",
    )
  ).flat();
const applied = (connection: Connection) =>
  connection.all("select number, name, checksum from tillsync_migrations where number > 0 order by number");

test("migrations are numbered from 1 without a gap", () => {
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
});

describe("the runner", () => {
  test("applies what is pending, in order, and nothing twice", async () => {
    const connection = await connected(newName("schema"));
    await migrate(connection, [first]);
    await migrate(connection, [first, second]);
    await migrate(connection, [first, second]);
    expect(await tables(connection)).toEqual(["one", "two"]);
    expect(await applied(connection)).toEqual([
      ["1", "first", "c1"],
      ["2", "second", "c2"],
    ]);
    expect(await connection.all("select a from one")).toEqual([["x"]]);
  });

  test("a migration that fails leaves nothing of itself, and those before it", async () => {
    const connection = await connected(newName("schema"));
    const broken = { ...second, sql: "create table two (a text); insert into nowhere values (1)" };
    await expect(migrate(connection, [first, broken])).rejects.toThrow("nowhere");
    expect(await tables(connection)).toEqual(["one"]);
    expect(await applied(connection)).toHaveLength(1);
    await migrate(connection, [first, second]);
    expect(await tables(connection)).toEqual(["one", "two"]);
  });

  test("waits for another process that migrates, finds what it did, and goes on from there", async () => {
    const schema = newName("schema");
    const [mine, other] = [await connected(schema), await connected(schema)];
    await migrate(other, [first]);
    await other.script("begin");
    await other.all("select 1 from tillsync_migrations where number = 0 for update");
    const migrating = migrate(mine, [first, second]);
    const isWaiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while ((await database.query(isWaiting)).length === 0);
    await other.script(second.sql);
    await other.all("insert into tillsync_migrations values (2, 'second', 'c2')");
    await other.script("commit");
    await migrating;
    expect(await mine.all("select a from one")).toEqual([["x"]]);
    expect(await applied(mine)).toHaveLength(2);
  });
});

describe("stores", () => {
  test("that open a new database at the same time all open it, and agree", async () => {
    const options = { url: database.url, schema: newName("schema") };
    const stores = Array.from({ length: 8 }, () => postgresStore(options));
    const secrets = await Promise.all(stores.map((store) => store.secret()));
    expect(new Set(secrets).size).toBe(1);
    for (const store of stores) await store.close();
    expect(
      await database.query(`select number from ${options.schema}.tillsync_migrations where number > 0`),
    ).toHaveLength(migrations.length);
  });

  test("open a database that the first version wrote, and read everything in it", async () => {
    const schema = newName("schema");
    const connection = await connected(schema);
    await migrate(connection, [await firstMigration(migrations)]);
    for (const insertion of insertions) await connection.script(insertion);
    const store = postgresStore({ url: database.url, schema });
    for (const [request, answer] of expectations) expect(await read(store, request), request.kind).toEqual(answer);
    await store.close();
  });

  async function prepared(change: string): Promise<string> {
    const schema = newName("schema");
    const store = postgresStore({ url: database.url, schema });
    await takePosition(store, "operation-1");
    await store.close();
    await database.query(`set search_path = ${schema}; ${change}`);
    return schema;
  }

  test("refuse a database of a newer version", async () => {
    const schema = await prepared("insert into tillsync_migrations values (99, 'from the future', 'x')");
    const store = postgresStore({ url: database.url, schema });
    const details = { stored: 99, supported: migrations.length };
    await expect(store.secret()).rejects.toMatchObject({ code: "storage_newer", details });
    await expect(takePosition(store, "operation-2")).rejects.toMatchObject({ code: "storage_newer", details });
    await store.close();
  });

  test("refuse a database whose migration is not the one they know", async () => {
    const schema = await prepared("update tillsync_migrations set checksum = 'another' where number = 1");
    const store = postgresStore({ url: database.url, schema });
    await expect(store.secret()).rejects.toMatchObject({
      code: "storage_corrupt",
      details: { table: "tillsync_migrations" },
    });
    await store.close();
  });
});
