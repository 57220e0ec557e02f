/**
 * Row-level security with the clause left out: each kind of statement, on each table that has a tenant, as the role of the store's own
 * transactions. Reads of the store that forget their tenant are in test/server/stores/isolation.postgres.test.ts.
 */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresStore } from "../../src/server/postgres/index.ts";
import { tenantTables } from "../../src/server/postgres/tables.ts";
import { write } from "../../src/server/testing/calls.ts";
import * as rows from "../../src/server/testing/rows.ts";
import { newDatabase, newName, type TestDatabase, urlOf } from "../support/postgres.ts";

const FORBIDDEN = "42501";
const everything = {
  clock: rows.clockRow(9),
  epochs: [rows.epochRow(1)],
  records: [rows.recordRow("tea", 1)],
  departures: [rows.departureRow("gone", 2, "north")],
  operations: [rows.operationRow("sale", 3)],
  commits: [rows.commitRow("release", 5)],
  devices: [rows.deviceRow("device-1")],
  incarnations: [rows.incarnationRow("incarnation-1")],
  conflicts: [rows.conflictRow("conflict", 6)],
  discrepancies: [rows.discrepancyRow("discrepancy", 7)],
};

let database: TestDatabase;
/** Whom no policy holds. */
let above: pg.Client;
beforeAll(async () => {
  database = await newDatabase();
  above = new pg.Client({ connectionString: database.url });
  await above.connect();
});
afterAll(async () => {
  await above.end();
  await database.drop();
});

describe.each(["the role that is made for a superuser", "an ordinary user that owns the tables"])("%s", (whose) => {
  const isSuperuser = whose.includes("superuser");
  const schema = newName("schema");
  const login = newName("owner");
  let client: pg.Client;
  let untouched: string;

  beforeAll(async () => {
    const name = new URL(database.url).pathname.slice(1);
    await database.query(`create role ${login} login password 'pw'; grant create on database ${name} to ${login}`);
    const url = isSuperuser ? database.url : urlOf({ database: name, user: login, password: "pw" });
    const store = postgresStore({ url, schema });
    await write(store, everything, "ours");
    await write(store, everything, "theirs");
    await store.close();
    client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`set search_path = ${schema}`);
    if (isSuperuser) await client.query("set role tillsync_tenants");
    untouched = await theirs();
  });
  afterAll(async () => {
    await client.end();
    await database.query(`drop schema ${schema} cascade; drop owned by ${login}; drop role ${login}`);
  });

  /** Everything that the other tenant has, seen from above. */
  async function theirs(): Promise<string> {
    const parts = tenantTables.map(
      (table) => `select '${table}' as table, to_jsonb(t) as row from ${schema}.${table} t where tenant = 'theirs'`,
    );
    return JSON.stringify((await above.query(parts.join(" union all "))).rows);
  }

  /** In a transaction whose tenant is ours, as the store's are. What it did stays. */
  async function asOurs(text: string, setting = "set_config('tillsync.tenant', 'ours', true)") {
    await client.query("begin");
    try {
      await client.query(`select ${setting}`);
      return await client.query(text);
    } catch (error) {
      await client.query("rollback");
      throw error;
    } finally {
      await client.query("commit");
    }
  }
  const columnsOf = async (table: string) =>
    (await client.query(`select * from ${table} limit 0`)).fields.map((f) => `"${f.name}"`);

  test("has a row of both tenants in each table, or nothing here says anything", async () => {
    for (const table of tenantTables) {
      const counts = await above.query(`select tenant, count(*)::int from ${schema}.${table} group by 1 order by 1`);
      expect(counts.rows, table).toEqual([
        { tenant: "ours", count: 1 },
        { tenant: "theirs", count: 1 },
      ]);
    }
  });

  describe.each(tenantTables)("%s", (table) => {
    test.each([
      ["all rows", `select tenant from ${table}`],
      ["the other tenant's, by name", `select tenant from ${table} where tenant = 'theirs' or tenant = 'ours'`],
      ["rows to lock", `select tenant from ${table} for update`],
      ["rows by way of a join", `select b.tenant from ${table} a full join ${table} b on true`],
      [
        "rows by way of a subquery",
        `select tenant from (select * from ${table} union all select * from ${table} offset 1) t`,
      ],
      [
        "rows with a condition that looks at them",
        `select tenant from ${table} where length(tenant) / (length(tenant) - 6) is null or true`,
      ],
    ])("%s: our own alone", async (_what, text) => {
      expect((await asOurs(text)).rows).toEqual([{ tenant: "ours" }]);
    });

    test("counts and sums: of our own alone", async () => {
      const { rows: found } = await asOurs(`select count(*)::int as n, min(tenant), max(tenant) from ${table}`);
      expect(found).toEqual([{ n: 1, min: "ours", max: "ours" }]);
    });

    test("a change without a condition, or of the other's row, reaches our own alone", async () => {
      const [column] = (await columnsOf(table)).filter((name) => name !== '"tenant"');
      expect((await asOurs(`update ${table} set ${column} = ${column} returning tenant`)).rows).toEqual([
        { tenant: "ours" },
      ]);
      expect((await asOurs(`update ${table} set ${column} = ${column} where tenant = 'theirs'`)).rowCount).toBe(0);
      expect(await theirs()).toBe(untouched);
    });

    test("our row can't be made the other's, nor theirs ours", async () => {
      await expect(asOurs(`update ${table} set tenant = 'theirs'`)).rejects.toMatchObject({ code: FORBIDDEN });
      await expect(asOurs(`update ${table} set tenant = 'third'`)).rejects.toMatchObject({ code: FORBIDDEN });
      expect((await asOurs(`update ${table} set tenant = 'ours' where tenant = 'theirs'`)).rowCount).toBe(0);
      expect(await theirs()).toBe(untouched);
    });

    test("no row is put in for the other, new or over one that is there, and which of both is not told", async () => {
      const columns = await columnsOf(table);
      const copied = columns.map((name) => (name === '"tenant"' ? "'theirs'" : name)).join();
      const fresh = columns.map((name) => (name === '"tenant"' ? "'nobody'" : name)).join();
      const { rows: key } = await above.query(
        `select string_agg(quote_ident(a.attname), ',') as columns from pg_index i
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey) where i.indisprimary and i.indrelid = $1::regclass`,
        [`${schema}.${table}`],
      );
      const over = `on conflict (${key[0]?.columns}) do update set tenant = excluded.tenant`;
      const into = `insert into ${table} (${columns.join()}) select`;
      const codes = [];
      for (const text of [
        `${into} ${copied} from ${table}`,
        `${into} ${fresh} from ${table}`,
        `${into} ${copied} from ${table} ${over}`,
        `${into} ${copied} from ${table} on conflict do nothing`,
      ]) {
        codes.push(
          await asOurs(text).then(
            () => "let in",
            ({ code, detail }) => `${code} ${detail ?? ""}`,
          ),
        );
      }
      expect(codes).toEqual(codes.map(() => `${FORBIDDEN} `));
      expect(await theirs()).toBe(untouched);
    });

    test("nothing of the other's is deleted", async () => {
      await client.query("begin");
      await client.query("select set_config('tillsync.tenant', 'ours', true)");
      const all = await client.query(`delete from ${table} returning tenant`);
      const named = await client.query(`delete from ${table} where tenant = 'theirs'`);
      await client.query("rollback");
      expect([all.rows, named.rowCount]).toEqual([[{ tenant: "ours" }], 0]);
      expect(await theirs()).toBe(untouched);
    });

    test.each([
      ["no tenant", "1"],
      ["an empty one", "set_config('tillsync.tenant', '', true)"],
      ["a blank", "set_config('tillsync.tenant', ' ', true)"],
      ["a pattern", "set_config('tillsync.tenant', '%', true)"],
      ["two", "set_config('tillsync.tenant', 'ours,theirs', true)"],
      ["one in capitals", "set_config('tillsync.tenant', 'OURS', true)"],
      ["one with a blank behind it", "set_config('tillsync.tenant', 'ours ', true)"],
      ["a condition", "set_config('tillsync.tenant', ''' or ''''=''', true)"],
    ])("with %s as the setting there is nothing, and nothing goes in", async (_what, setting) => {
      expect((await asOurs(`select 1 from ${table}`, setting)).rows).toEqual([]);
      expect((await asOurs(`delete from ${table}`, setting)).rowCount).toBe(0);
      expect(await theirs()).toBe(untouched);
    });
  });

  test("the setting ends with its transaction, however that ends", async () => {
    for (const end of ["commit", "rollback"]) {
      await client.query("begin");
      await client.query("select set_config('tillsync.tenant', 'ours', true)");
      await client.query(end);
      expect((await client.query("select 1 from records")).rows, end).toEqual([]);
    }
    await expect(asOurs("select 1 / 0 from records")).rejects.toMatchObject({ code: "22012" });
    expect((await client.query("select 1 from records")).rows).toEqual([]);
  });

  test(`${isSuperuser ? "can neither" : "can, because it owns the tables,"} empty a table and change what stands around it`, async () => {
    const attempts = tenantTables.flatMap((table) => [
      `truncate ${table}`,
      `alter table ${table} disable row level security`,
      `alter table ${table} no force row level security`,
      `drop policy tenant_only on ${table}`,
      `create policy more on ${table} using (true)`,
      `alter table ${table} owner to current_user`,
      `create trigger t before insert on ${table} for each row execute function suppress_redundant_updates_trigger()`,
      `drop table ${table}`,
    ]);
    const outcomes = new Set<string>();
    for (const text of [...attempts, `create table ${schema}.more (a int)`]) {
      await client.query("begin");
      await client.query("select set_config('tillsync.tenant', 'ours', true)");
      outcomes.add(
        await client.query(text).then(
          () => "done",
          ({ code }) => code,
        ),
      );
      await client.query("rollback");
    }
    // No migration would be possible otherwise. An owner is held back from rows, not from its tables: `role` names another.
    expect([...outcomes]).toEqual([isSuperuser ? FORBIDDEN : "done"]);
    // In a transaction whose tenant is ours, as any statement is.
    await expect(asOurs("alter role tillsync_tenants bypassrls")).rejects.toMatchObject({ code: FORBIDDEN });
    expect(await theirs()).toBe(untouched);
  });
});
