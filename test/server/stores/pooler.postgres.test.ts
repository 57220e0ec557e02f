/** The store, and pokes, through a real PgBouncer in both of its modes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  findPgbouncer,
  NO_PGBOUNCER,
  type RunningPgbouncer,
  startPgbouncer,
} from "../../../scripts/pgbouncer.mjs";
import { postgresStore } from "../../../src/server/postgres/index.ts";
import { read, write } from "../../../src/server/testing/calls.ts";
import { serverStoreContract } from "../../../src/server/testing/index.ts";
import { clockRow, recordRow } from "../../../src/server/testing/rows.ts";
import { newDatabase, newName, serverUrl, type TestDatabase } from "../../support/postgres.ts";

const program = findPgbouncer();
if (program === undefined) test.skip(`the store behind PgBouncer: not run, ${NO_PGBOUNCER}`);

/** Fewer connections to the server than clients, and each transaction gets the one that has been idle longest. */
const MIXED = { server_round_robin: 1, default_pool_size: 4 };
const modes = [
  ["session", { default_pool_size: 100 }],
  ["transaction", MIXED],
] as const;

describe.runIf(program !== undefined).each(modes)("behind PgBouncer in %s mode", (mode, settings) => {
  let database: TestDatabase;
  let bouncer: RunningPgbouncer;
  let url: string;
  beforeAll(async () => {
    database = await newDatabase();
    bouncer = await startPgbouncer(program as string, { url: serverUrl(), mode, settings });
    url = bouncer.url(new URL(database.url).pathname.slice(1));
  });
  afterAll(async () => {
    await bouncer?.stop();
    await database?.drop();
  });

  describe("the contract", () => {
    for (const { name, run } of serverStoreContract()) {
      test(name, () =>
        run(async () => {
          const options = { url, schema: newName("schema") };
          const store = postgresStore(options);
          return { store, open: async () => postgresStore(options), cleanup: () => store.close() };
        }),
      );
    }
  });

  test("stores of two schemas that share connections write each into its own", async () => {
    const schemas = [newName("schema"), newName("schema")];
    const stores = schemas.map((schema) => postgresStore({ url, schema }));
    for (let round = 1; round <= 20; round++) {
      await Promise.all(
        stores.map((store, index) =>
          write(store, { clock: clockRow(round), records: [recordRow(`${index}-${round}`, round)] }),
        ),
      );
    }
    for (const [index, schema] of schemas.entries()) {
      const [row] = await database.query(
        `select count(*)::int as rows, count(*) filter (where id like '${index}-%')::int as own from ${schema}.records`,
      );
      expect(row).toEqual({ rows: 20, own: 20 });
    }
    await Promise.all(stores.map((store) => store.close()));
  });
});
