import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { CheckedMigration } from "../../../src/server/sql/migrations.ts";
import { Connection } from "../../../src/server/sqlite/connection.ts";
import { sqliteStore } from "../../../src/server/sqlite/index.ts";
import { migrate } from "../../../src/server/sqlite/migrate.ts";
import { migrations } from "../../../src/server/sqlite/migrations/all.ts";
import { read, takePosition } from "../../../src/server/testing/calls.ts";
import { expectations, firstMigration, insertions } from "./first-version.ts";
import { openLibsql } from "./recording-driver.ts";

const folder = mkdtempSync(join(tmpdir(), "tillsync-migrations-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `${++files}.sqlite`);

const first: CheckedMigration = { number: 1, name: "first", sql: "create table one (a text) strict", checksum: "c1" };
const second: CheckedMigration = {
  number: 2,
  name: "second",
  sql: "create table two (a text) strict; insert into one values ('x')",
  checksum: "c2",
};

const tables = (connection: Connection) =>
  connection
    .all("select name from sqlite_schema where type = 'table' and name not like 'tillsync%' order by name")
    .map(({ name }) => name);
const applied = (connection: Connection) =>
  connection.all("select number, name, checksum from tillsync_migrations order by number");

test("migrations are numbered from 1 without a gap", () => {
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
});

describe("the runner", () => {
  test("applies what is pending, in order, and nothing twice", () => {
    const connection = new Connection(openLibsql(newPath()));
    migrate(connection, [first]);
    migrate(connection, [first, second]);
    migrate(connection, [first, second]);
    expect(tables(connection)).toEqual(["one", "two"]);
    expect(applied(connection)).toEqual([
      { number: 1, name: "first", checksum: "c1" },
      { number: 2, name: "second", checksum: "c2" },
    ]);
    expect(connection.all("select a from one")).toEqual([{ a: "x" }]);
    connection.close();
  });

  test("a migration that fails leaves nothing of itself, and those before it", () => {
    const connection = new Connection(openLibsql(newPath()));
    const broken = { ...second, sql: "create table two (a text) strict; insert into nowhere values (1)" };
    expect(() => migrate(connection, [first, broken])).toThrow("nowhere");
    expect(tables(connection)).toEqual(["one"]);
    expect(applied(connection)).toHaveLength(1);
    migrate(connection, [first, second]);
    expect(tables(connection)).toEqual(["one", "two"]);
    connection.close();
  });

  test("finds what another connection has just done, and goes on from there", () => {
    const path = newPath();
    const mine = new Connection(openLibsql(path));
    const other = new Connection(openLibsql(path));
    // The other one is first between this one's look and its lock.
    const script = mine.script.bind(mine);
    const run = mine.run.bind(mine);
    let overtaken = false;
    mine.run = (sql, ...parameters) => {
      if (sql === "begin immediate" && !overtaken) {
        overtaken = true;
        migrate(other, [first]);
      }
      run(sql, ...parameters);
    };
    mine.script = script;
    migrate(mine, [first, second]);
    expect(applied(mine)).toHaveLength(2);
    mine.close();
    other.close();
  });
});

describe("a store", () => {
  async function prepared(change: string): Promise<string> {
    const path = newPath();
    const store = sqliteStore({ path });
    await takePosition(store, "operation-1");
    await store.close();
    const database = openLibsql(path);
    database.exec(change);
    database.close();
    return path;
  }

  test("opens a database that the first version wrote, and reads everything in it", async () => {
    const path = newPath();
    const connection = new Connection(openLibsql(path));
    migrate(connection, [await firstMigration(migrations)]);
    for (const insertion of insertions) connection.script(insertion);
    connection.close();
    const store = sqliteStore({ path });
    for (const [request, answer] of expectations) expect(await read(store, request), request.kind).toEqual(answer);
    await store.close();
  });

  test("refuses a database of a newer version, and leaves it untouched", async () => {
    const path = await prepared("insert into tillsync_migrations values (99, 'from the future', 'x')");
    const before = readFileSync(path);
    const store = sqliteStore({ path });
    const details = { stored: 99, supported: migrations.length };
    await expect(store.secret()).rejects.toMatchObject({ code: "storage_newer", details });
    await expect(takePosition(store, "operation-2")).rejects.toMatchObject({ code: "storage_newer", details });
    await store.close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("refuses a database whose migration is not the one it knows", async () => {
    const path = await prepared("update tillsync_migrations set checksum = 'another' where number = 1");
    const store = sqliteStore({ path });
    await expect(store.secret()).rejects.toMatchObject({
      code: "storage_corrupt",
      details: { table: "tillsync_migrations" },
    });
    await store.close();
  });
});
