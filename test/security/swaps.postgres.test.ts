/** The same swaps where tenants share tables. */
import { postgresStore } from "../../src/server/postgres/index.ts";
import { tenantTables } from "../../src/server/postgres/tables.ts";
import { newDatabase } from "../support/postgres.ts";
import { describeSwaps } from "./support/describe-swaps.ts";

describeSwaps("PostgreSQL", async () => {
  const database = await newDatabase();
  const store = postgresStore({ url: database.url });
  return {
    store,
    rowsOf: async (tenant) => {
      const parts = tenantTables.map(
        (name) => `select '${name}' as name, to_jsonb(t)::text as row from tillsync.${name} t where tenant = $1`,
      );
      const rows = await database.query(`${parts.join(" union all ")} order by 1, 2`, [tenant]);
      const of = (table: string) => rows.filter(({ name }) => name === table).map(({ row }) => row);
      return Object.fromEntries(tenantTables.map((table) => [table, of(table)]));
    },
    close: async () => {
      await store.close();
      await database.drop();
    },
  };
});
