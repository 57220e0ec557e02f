/** The SQLite store beside bare SQLite: the same library, the same schema, the same settings of the file. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "tillsync/server/sqlite";
import { findDriver, type SyncSqliteDriver } from "../../../src/server/sqlite/driver.ts";
import { type Bare, operationValues, pageText, recordValues } from "./bare.ts";
import { ownCpu } from "./cpu.ts";
import { TENANT } from "./shop-server.ts";
import type { MeasuredStore } from "./stores.ts";

export async function measuredSqlite(): Promise<MeasuredStore> {
  const folder = await mkdtemp(join(tmpdir(), "tillsync-bench-"));
  const store = sqliteStore({ path: join(folder, "ours.sqlite") });
  const bare = await bareSqlite(join(folder, "bare.sqlite"));
  return {
    store,
    bare,
    cpu: ownCpu,
    async close() {
      await store.close();
      await bare.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function bareSqlite(path: string): Promise<Bare> {
  // The store makes the tables, and lets go of the file.
  const maker = sqliteStore({ path });
  await maker.secret();
  await maker.close();
  const open = await findDriver();
  const database: SyncSqliteDriver = await open(path);
  database.exec(
    "pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -32768; pragma temp_store = memory;",
  );
  const slots = (count: number) => Array.from({ length: count }, () => "?").join(", ");
  // A statement for each row, prepared once: faster than many rows in one where the library is called and not sent to (measured).
  const record = database.prepare(
    `insert into records values (${slots(11)}) on conflict (tenant, collection, id)
     do update set version = excluded.version, counters = excluded.counters, data = excluded.data, fields = excluded.fields`,
  );
  const operation = database.prepare(`insert into operations values (${slots(22)})`);
  const feed = database.prepare(
    `select id, version, data, counters from records where tenant = ? and collection = ? and scope = '' and state <> 'stub'
     and version > ? order by version limit ?`,
  );
  return {
    async insert({ records, operations }) {
      database.exec("begin immediate");
      for (const row of records) record.run(...recordValues(TENANT, row));
      for (const row of operations) operation.run(...operationValues(TENANT, row));
      database.exec("commit");
    },
    async page(collection, after, limit) {
      return pageText(feed.all(TENANT, collection, after, limit) as never);
    },
    async close() {
      database.close();
    },
  };
}
