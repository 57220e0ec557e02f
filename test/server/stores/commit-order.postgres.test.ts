/** Writers pause between their position and their commit while a reader follows: a plain sequence loses rows so, the clock row does not. */
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { postgresStore } from "../../../src/server/postgres/index.ts";
import { SHOP, upTo } from "../../../src/server/testing/calls.ts";
import { newDatabase, type TestDatabase } from "../../support/postgres.ts";
import { feedOf, followed, writeNext } from "./commit-order.ts";

const WRITERS = 4;
const EACH = 25;

let database: TestDatabase;
beforeAll(async () => {
  database = await newDatabase();
});
afterAll(() => database.drop());

test("a sequence: the reader passes by rows that are committed behind its back", async () => {
  await database.query("create table naive (position bigserial primary key)");
  const connected = async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query("begin; insert into naive default values");
    return client;
  };
  const read = async (after: number) => {
    const rows = await database.query("select position from naive where position > $1 order by position", [after]);
    return rows.map(({ position }) => Number(position));
  };
  const [first, second] = [await connected(), await connected()];
  await second.query("commit");
  const seen = await read(0);
  await first.query("commit");
  expect([seen, await read(seen.at(-1) ?? 0), await read(0)]).toEqual([[2], [], [1, 2]]);
  await Promise.all([first, second].map((client) => client.end()));
});

test("the clock row: the reader sees every row, in the order of the positions", async () => {
  const { url } = database;
  const stores = Array.from({ length: WRITERS }, () => postgresStore({ url }));
  const [reader] = stores as [ReturnType<typeof postgresStore>];
  await reader.transact(SHOP, function* () {
    yield [];
    return { value: undefined, writes: {} };
  });
  await database.query(`
    create function pause() returns trigger language plpgsql as $$ begin
      perform pg_sleep(((new.version * 5) % 9) / 1000.0);
      return new;
    end $$;
    create trigger pause after insert on tillsync.records for each row execute function pause()`);
  const writers = stores.map(async (store, writer) => {
    for (let turn = 0; turn < EACH; turn += 1) await writeNext(store, `writer-${writer}`);
  });
  expect(await followed(feedOf(reader), Promise.all(writers))).toEqual(upTo(WRITERS * EACH));
  for (const store of stores) await store.close();
});
