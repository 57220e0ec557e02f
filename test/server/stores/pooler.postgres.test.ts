/** The store, and pokes, through a real PgBouncer in both of its modes. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { findPgbouncer, NO_PGBOUNCER, type RunningPgbouncer, startPgbouncer } from "../../../scripts/pgbouncer.mjs";
import { postgresPokes, postgresStore } from "../../../src/server/postgres/index.ts";
import { upTo, write } from "../../../src/server/testing/calls.ts";
import { serverStoreContract } from "../../../src/server/testing/index.ts";
import { clockRow, recordRow } from "../../../src/server/testing/rows.ts";
import { newDatabase, newName, query, serverUrl, type TestDatabase } from "../../support/postgres.ts";
import { probeClock } from "../support/probe-clock.ts";

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

  test("nothing that a store sets reaches another client of the pooler", async () => {
    const store = postgresStore({ url, schema: newName("schema") });
    await Promise.all(upTo(20).map((n) => write(store, { clock: clockRow(n) }, `tenant-${n}`)));
    const names = ["search_path", "role", "lock_timeout", "statement_timeout", "enable_seqscan", "tillsync.tenant"];
    const text = `select pg_backend_pid() as pid, ${names.map((name) => `coalesce(current_setting('${name}', true), '')`)}`;
    const settings = async (from: string) => Object.values((await query(from, text))[0] ?? {}).slice(1);
    const fresh = await settings(database.url);
    for (let n = 0; n < 8; n++) expect(await settings(url)).toEqual(fresh);
    await store.close();
  });

  const pokes = mode === "session" ? "pokes arrive" : "pokes do not arrive";
  test(`${pokes}, and the log says so`, async () => {
    const logged: string[] = [];
    let told = () => {};
    const isTold = new Promise<void>((resolve) => {
      told = resolve;
    });
    const add = (level: string) => (message: string) => {
      logged.push(`${level}: ${message}`);
      told();
    };
    // In transaction mode it is over after notifications that were sent later could have arrived.
    const later = async () => {
      for (let n = 0; n < 20; n++) await query(url, "select pg_notify('tillsync_pokes', '[]')");
    };
    const clock = mode === "session" ? probeClock() : probeClock(later());
    const relay = postgresPokes({ url, logger: { error: add("error"), info: add("info"), debug() {} }, clock });
    onTestFinished(() => relay.close());
    relay.subscribe(() => {});
    await isTold;
    expect(logged).toEqual([
      mode === "session"
        ? "info: Receiving pokes from other servers"
        : expect.stringMatching(/^error: No poke arrives from other servers: .*a pooler in session mode/),
    ]);
  });
});
