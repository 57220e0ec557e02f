import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoreRead } from "../../../src/server/ports/store.ts";
import { Connection, type Statement } from "../../../src/server/postgres/connection.ts";
import type { PgClient } from "../../../src/server/postgres/driver.ts";
import { postgresStore } from "../../../src/server/postgres/index.ts";
import { planRead } from "../../../src/server/postgres/reads.ts";
import { tenantTables } from "../../../src/server/postgres/tables.ts";
import { transactionSettings } from "../../../src/server/postgres/transaction-settings.ts";
import { read, write } from "../../../src/server/testing/calls.ts";
import * as rows from "../../../src/server/testing/rows.ts";
import { newDatabase, newName, type TestDatabase, urlOf } from "../../support/postgres.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await newDatabase();
});
afterAll(() => database.drop());

const everything = {
  clock: rows.clockRow(9),
  epochs: [rows.epochRow(1)],
  records: [rows.recordRow("tea", 1)],
  departures: [rows.departureRow("gone", 2, "north")],
  operations: [rows.operationRow("sale", 3, { transaction: "basket" }), rows.quarantinedRow("odd", 4)],
  commits: [rows.commitRow("release", 5)],
  devices: [rows.deviceRow("device-1")],
  incarnations: [rows.incarnationRow("incarnation-1")],
  conflicts: [rows.conflictRow("conflict", 6)],
  discrepancies: [rows.discrepancyRow("discrepancy", 7)],
};

const feed = { collection: "products", after: 0, upTo: 100, limit: 10 } as const;
const reads: readonly StoreRead[] = [
  { kind: "clock" },
  { kind: "epochs" },
  { kind: "records", keys: [{ collection: "products", id: "tea" }] },
  { kind: "operations", ids: ["sale"] },
  { kind: "sequences", incarnation: "incarnation-1", sequences: [3] },
  { kind: "members", transaction: "basket", device: "device-1", limit: 10 },
  { kind: "commits", ids: ["release"] },
  { kind: "devices", ids: ["device-1"] },
  { kind: "incarnations", device: "device-1", limit: 10 },
  { kind: "changes", ...feed, scopes: ["", "north"], bytes: 10_000 },
  { kind: "changes", ...feed, scopes: "all", bytes: 10_000 },
  { kind: "countChanges", ...feed, scopes: ["", "north"] },
  { kind: "results", device: "device-1", after: 0, limit: 10 },
  { kind: "quarantined", after: 0, limit: 10 },
  { kind: "conflicts", ids: ["conflict"] },
  { kind: "conflictsOf", operationIds: ["operation-of-conflict"] },
  { kind: "conflictList", state: "open", after: 0, limit: 10 },
  { kind: "discrepancies", after: 0, limit: 10 },
];

/** What somebody forgot to write. */
const forgetTenant = ({ text, values }: Statement): Statement => ({
  text: text.replaceAll(/\b[a-z]+\.tenant = \$1/g, "$1::text is not null"),
  values,
});

async function answers(connection: Connection, tenant: string, change: (statement: Statement) => Statement) {
  const found: unknown[] = [];
  for (const request of reads) {
    const { statements, decode } = planRead(tenant, request);
    const [, , ...result] = await connection.run([
      { text: "begin", values: [] },
      { text: "select set_config('tillsync.tenant', $1, true)", values: [tenant] },
      ...statements.map(change),
    ]);
    await connection.script("commit");
    found.push(decode(result));
  }
  return found;
}

describe.each(["a superuser's URL", "an ordinary owner's URL"])("row-level security, with %s", (whose) => {
  const schema = newName("schema");
  const login = newName("owner");
  let url: string;
  let connection: Connection;
  let client: pg.Client;

  beforeAll(async () => {
    url = database.url;
    if (whose !== "a superuser's URL") {
      const name = new URL(database.url).pathname.slice(1);
      await database.query(`create role ${login} login password 'pw'; grant create on database ${name} to ${login}`);
      url = urlOf({ database: name, user: login, password: "pw" });
    }
    const store = postgresStore({ url, schema });
    await write(store, everything, "one");
    await write(store, { ...everything, records: [...everything.records, rows.recordRow("milk", 8)] }, "two");
    await store.close();

    // As the store's own connections are.
    client = new pg.Client({ connectionString: url });
    await client.connect();
    connection = new Connection(client as unknown as PgClient);
    const role = whose === "a superuser's URL" ? "tillsync_tenants" : undefined;
    const settings = transactionSettings({ schema, role, busyTimeoutMs: 1_000, statementTimeoutMs: 10_000 });
    // The tenant is set by each transaction below, all else for the whole connection.
    const { text, values } = settings("");
    await connection.run([{ text: text.replaceAll(", true)", ", false)"), values }]);
  });
  afterAll(async () => {
    await client.end();
    if (url !== database.url)
      await database.query(`drop schema ${schema} cascade; drop owned by ${login}; drop role ${login}`);
  });

  test("every read that forgot its tenant answers with the same rows as one that did not", async () => {
    const careful = await answers(connection, "one", (statement) => statement);
    const careless = await answers(connection, "one", forgetTenant);
    expect(careless).toEqual(careful);
    expect(careful).not.toContainEqual([]);
  });

  test("without a tenant there is nothing, before and after a transaction that had one", async () => {
    for (const table of tenantTables) expect(await connection.all(`select 1 from ${table}`), table).toEqual([]);
  });

  test("rows of another tenant can be neither written, changed nor deleted", async () => {
    const as = async (tenant: string, text: string) => {
      await connection.script("begin");
      await connection.all("select set_config('tillsync.tenant', $1, true)", tenant);
      return connection.all(text).finally(() => connection.script("rollback"));
    };
    const insert =
      "insert into departures (tenant, collection, id, scope, version) values ('two', 'products', 'x', '', 1)";
    await expect(as("one", insert)).rejects.toMatchObject({ code: "42501" });
    await expect(as("one", "update records set tenant = 'two'")).rejects.toMatchObject({ code: "42501" });
    expect(await as("one", "update records set version = 99 where id = 'milk' returning id")).toEqual([]);
    expect((await as("two", "update records set version = 99 where id = 'milk' returning id")).length).toBe(1);
    expect((await as("one", "delete from operations returning tenant")).flat()).toEqual(["one", "one"]);
  });

  test("the store itself finds what belongs to each", async () => {
    const store = postgresStore({ url, schema });
    const keys = ["tea", "milk"].map((id) => ({ collection: "products", id }));
    const ids = async (tenant: string) =>
      (await read(store, { kind: "records", keys }, tenant)).map(({ id }) => id).sort();
    expect(await ids("one")).toEqual(["tea"]);
    expect(await ids("two")).toEqual(["milk", "tea"]);
    await store.close();
  });
});

test("every table with a tenant has a policy that holds for its owner too", async () => {
  const schema = newName("schema");
  const store = postgresStore({ url: database.url, schema });
  await store.secret();
  await store.close();
  const found = await database.query(
    `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant' where c.relnamespace = $1::regnamespace and c.relkind = 'r' order by 1`,
    [schema],
  );
  expect(found).toEqual([...tenantTables].sort().map((name) => ({ name, forced: true })));
});

test("no policy has a subquery, which Citus refuses on a distributed table", async () => {
  const schema = newName("schema");
  const store = postgresStore({ url: database.url, schema });
  await store.secret();
  await store.close();
  const policies = await database.query("select qual from pg_policies where schemaname = $1", [schema]);
  expect(policies).toHaveLength(tenantTables.length);
  for (const { qual } of policies) expect(qual).not.toMatch(/select/i);
});

describe("the role of transactions", () => {
  test("has no right to the secret, nor to the migrations", async () => {
    const schema = newName("schema");
    const store = postgresStore({ url: database.url, schema });
    await store.secret();
    await store.close();
    for (const table of ["settings", "tillsync_migrations"]) {
      const text = `set role tillsync_tenants; select * from ${schema}.${table}`;
      await expect(database.query(text), table).rejects.toMatchObject({ code: "42501" });
    }
  });

  test("may be named, and is refused where row-level security would not hold for it, or where there is none", async () => {
    const [ordinary, above] = [newName("role"), newName("role")];
    await database.query(`create role ${ordinary} nologin; create role ${above} nologin bypassrls`);
    const open = (role: string) => postgresStore({ url: database.url, schema: newName("schema"), role });
    const store = open(ordinary);
    await write(store, everything);
    expect(await read(store, { kind: "clock" })).toEqual(everything.clock);
    await store.close();
    await expect(open(above).secret()).rejects.toMatchObject({ code: "storage_unavailable" });
    await expect(open(above).secret()).rejects.toThrow("BYPASSRLS");
    await expect(open(newName("role")).secret()).rejects.toThrow("There is no role");
    await database.query(`drop owned by ${ordinary}; drop role ${ordinary}; drop role ${above}`);
  });
});
