/** The PostgreSQL store beside bare PostgreSQL: the same server and driver, the same tables in a schema of their own. */
import pg from "pg";
import { postgresStore } from "tillsync/server/postgres";
import { type Bare, operationValues, pageText, recordValues } from "./bare.ts";
import { cpuWithPostgres } from "./cpu.ts";
import { TENANT } from "./shop-server.ts";
import type { MeasuredStore } from "./stores.ts";

const BARE_CONNECTIONS = 10;

/** @param url of somebody who may make databases and roles */
export async function measuredPostgres(url: string): Promise<MeasuredStore & { readonly version: string }> {
  const name = `tillsync_bench_${process.pid}_${Date.now().toString(36)}`;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`create database ${name} encoding 'UTF8' template template0`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const store = postgresStore({ url: own.href });
  await store.secret();
  const bare = await barePostgres(own.href);
  const { rows } = await admin.query("select pg_backend_pid() as pid, current_setting('server_version') as version");
  return {
    store,
    bare,
    cpu: cpuWithPostgres(rows[0].pid),
    version: rows[0].version,
    async close() {
      await store.close();
      await bare.close();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

async function barePostgres(url: string): Promise<Bare> {
  const maker = postgresStore({ url, schema: "bare" });
  await maker.secret();
  await maker.close();
  const pool = new pg.Pool({ connectionString: url, max: BARE_CONNECTIONS, options: "-c search_path=bare -c jit=off" });
  // Its database is dropped behind it, and a connection that is closing may hear of that.
  pool.on("connect", (client) => client.on("error", () => {}));
  pool.on("error", () => {});
  const records = await columnsOf(pool, "records");
  const operations = await columnsOf(pool, "operations");
  const overRecord = `on conflict (tenant, collection, id) do update
    set version = excluded.version, counters = excluded.counters, data = excluded.data, fields = excluded.fields`;
  return {
    async insert(rows) {
      const client = await pool.connect();
      try {
        await client.query("begin");
        await client.query(
          insertOf(
            "records",
            records,
            overRecord,
            rows.records.map((row) => recordValues(TENANT, row)),
          ),
        );
        await client.query(
          insertOf(
            "operations",
            operations,
            "",
            rows.operations.map((row) => operationValues(TENANT, row)),
          ),
        );
        await client.query("commit");
      } finally {
        client.release();
      }
    },
    async page(collection, after, limit) {
      const { rows } = await pool.query({
        name: "page",
        text: `select id, version, data, counters from records where tenant = $1 and collection = $2 and scope = '' and state <> 'stub'
               and version > $3 order by version limit $4`,
        values: [TENANT, collection, after, limit],
      });
      return pageText(rows);
    },
    close: () => pool.end(),
  };
}

interface Column {
  readonly name: string;
  readonly type: string;
}

async function columnsOf(pool: pg.Pool, table: string): Promise<readonly Column[]> {
  const text = `select column_name as name, data_type as type from information_schema.columns
                where table_schema = 'bare' and table_name = $1 order by ordinal_position`;
  return (await pool.query(text, [table])).rows;
}

/** Many rows in one statement, a list for each column. */
function insertOf(table: string, columns: readonly Column[], more: string, rows: readonly (readonly unknown[])[]) {
  const lists = columns.map(({ type }, at) => `$${at + 1}::${type}[]`).join(", ");
  return {
    name: table,
    text: `insert into ${table} select * from unnest(${lists}) ${more}`,
    values: columns.map((_, at) => rows.map((row) => row[at])),
  };
}
