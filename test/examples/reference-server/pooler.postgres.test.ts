/** The reference server through a real PgBouncer: it starts, and leaves nothing on the connections of other clients. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findPgbouncer, NO_PGBOUNCER, type RunningPgbouncer, startPgbouncer } from "../../../scripts/pgbouncer.mjs";
import { newDatabase, query, serverUrl, type TestDatabase } from "../../support/postgres.ts";
import { loginTill, RawTill, register, saleOf, start, stock } from "./support.ts";

const program = findPgbouncer();
if (program === undefined) test.skip(`the reference server behind PgBouncer: not run, ${NO_PGBOUNCER}`);

describe.runIf(program !== undefined).each(["session", "transaction"] as const)(
  "behind PgBouncer in %s mode",
  (mode) => {
    let database: TestDatabase;
    let bouncer: RunningPgbouncer;
    let url: string;
    beforeAll(async () => {
      database = await newDatabase();
      bouncer = await startPgbouncer(program as string, {
        url: serverUrl(),
        mode,
        settings: { server_round_robin: 1 },
      });
      url = bouncer.url(new URL(database.url).pathname.slice(1));
    });
    afterAll(async () => {
      await bouncer?.stop();
      await database?.drop();
    });

    test("the server starts, sells, starts again, and sets nothing for other clients", async () => {
      for (const round of [1, 2]) {
        const server = await start({ database: url });
        const owner = await register(server);
        await stock(server, owner.tenant.id);
        const raw = new RawTill(server, await loginTill(server, owner.email));
        const sale = await raw.push({ collection: "sales", action: "create", data: saleOf(1) });
        expect(sale, `start ${round}`).toMatchObject([{ status: "applied", assigned: { orderNumber: "ORD-000001" } }]);
        await server.close();
      }
      const text =
        "select pg_backend_pid(), current_setting('search_path') as path, current_setting('statement_timeout') as ms";
      for (let n = 0; n < 12; n++) expect(await query(url, text)).toMatchObject([{ path: '"$user", public', ms: "0" }]);
    });
  },
);
