/** The sentences of docs/protocol.md, kept on a real PostgreSQL. */
import { postgresStore } from "tillsync/server/postgres";
import { afterAll, beforeAll, test } from "vitest";
import { newDatabase, type TestDatabase } from "../support/postgres.ts";
import { Bench, sentences } from "./protocol-sentences.ts";

let database: TestDatabase;
let store: ReturnType<typeof postgresStore>;
beforeAll(async () => {
  database = await newDatabase();
  store = postgresStore({ url: database.url });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

test.each(sentences.map(({ says, shows }, n) => [says, shows, n] as const))("%s", async (_says, shows, n) => {
  await shows(new Bench(store, `shop-${n}`));
});
