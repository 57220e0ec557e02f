import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { askAll } from "../../../src/server/ports/store.ts";
import { postgresStore } from "../../../src/server/postgres/index.ts";
import { SHOP, upTo, write } from "../../../src/server/testing/calls.ts";
import { newDatabase, type TestDatabase } from "../../support/postgres.ts";
import { committed, runWriter } from "./writers.ts";

const databases: TestDatabase[] = [];
async function database(): Promise<TestDatabase> {
  const made = await newDatabase();
  databases.push(made);
  return made;
}
afterAll(async () => {
  for (const made of databases) await made.drop();
});

test("a process that is killed loses nothing that it acknowledged, and leaves nothing half done", async () => {
  const { url } = await database();
  let stored = 0;
  for (const killAfter of [1, 37, 160]) {
    const acknowledged = await runWriter(url, `killed-${killAfter}`, { killAfter });
    expect(acknowledged.length).toBeGreaterThanOrEqual(killAfter);
    expect(acknowledged[0]).toBe(stored + 1);
    const store = postgresStore({ url });
    // Behind whatever the killed one's transaction still does.
    await write(store, {});
    stored = await committed(store);
    expect(stored).toBeGreaterThanOrEqual(acknowledged.at(-1) ?? 0);
  }
});

test("processes that open a new database together and write to it take turns", async () => {
  const { url } = await database();
  const writers = ["north", "south", "east"];
  const positions = await Promise.all(writers.map((name) => runWriter(url, name, { count: 40 })));
  for (const own of positions) expect(own).toEqual(own.toSorted((a, b) => a - b));
  expect(positions.flat().toSorted((a, b) => a - b)).toEqual(upTo(writers.length * 40));
  expect(await committed(postgresStore({ url }))).toBe(writers.length * 40);
});

test("a reader that follows while processes write misses nothing", async () => {
  const { url } = await database();
  const store = postgresStore({ url });
  let isWriting = true;
  const writers = Promise.all(["north", "south"].map((name) => runWriter(url, name, { count: 150 }))).finally(() => {
    isWriting = false;
  });
  const seen: number[] = [];
  const follow = () =>
    store.read(SHOP, function* () {
      const after = seen.at(-1) ?? 0;
      const bounds = { after, upTo: Number.MAX_SAFE_INTEGER, limit: 50, bytes: 100_000 };
      const [clock, changes] = yield* askAll([
        { kind: "clock" },
        { kind: "changes", collection: "products", scopes: "all", ...bounds },
      ]);
      seen.push(...changes.entries.map(({ row }) => row.version));
      return clock?.position ?? 0;
    });
  while (isWriting) await follow();
  await writers;
  while ((await follow()) > (seen.at(-1) ?? 0));
  expect(seen).toEqual(upTo(300));
  await store.close();
});

test("why positions are not a sequence's: the reader would pass by a row that is committed later", async () => {
  const { url, query } = await database();
  await query("create table naive (position bigserial primary key, name text)");
  const slow = new pg.Client({ connectionString: url });
  await slow.connect();
  await slow.query("begin");
  await slow.query("insert into naive (name) values ('slow')");
  await query("insert into naive (name) values ('quick')");
  const follow = (after: unknown) =>
    query("select position, name from naive where position > $1 order by position", [after]);
  const first = await follow(0);
  await slow.query("commit");
  await slow.end();
  const rest = await follow(first.at(-1)?.position);
  expect([...first, ...rest].map(({ name }) => name)).toEqual(["quick"]);
});
