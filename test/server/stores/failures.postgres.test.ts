import { createServer, type Socket, connect as tcp } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, type ServerStore } from "../../../src/server/ports/store.ts";
import { findDriver } from "../../../src/server/postgres/driver.ts";
import { type PostgresStoreOptions, postgresStore } from "../../../src/server/postgres/index.ts";
import { read, SHOP, takePosition, write } from "../../../src/server/testing/calls.ts";
import { clockRow, operationRow, recordRow } from "../../../src/server/testing/rows.ts";
import { isTillSyncError, type TillSyncError } from "../../../src/shared/errors.ts";
import { newDatabase, newName, type TestDatabase, urlOf } from "../../support/postgres.ts";

let database: TestDatabase;
const stores: ServerStore[] = [];
const clients: pg.Client[] = [];
beforeAll(async () => {
  database = await newDatabase();
});
afterAll(async () => {
  for (const client of clients) await client.end();
  for (const store of stores) await store.close();
  await database.drop();
});

function opened(options: Partial<PostgresStoreOptions> = {}) {
  const schema = newName("schema");
  const store = postgresStore({ url: database.url, schema, ...options });
  stores.push(store);
  return { store, schema };
}

async function neighbour(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  clients.push(client);
  await client.connect();
  return client;
}

/** Resolves when a connection of a store waits for a lock, with its process in the server. */
async function waiting(): Promise<number> {
  for (;;) {
    const [row] = await database.query(
      "select pid from pg_stat_activity where datname = current_database() and application_name = 'tillsync' and wait_event_type = 'Lock'",
    );
    if (row !== undefined) return Number(row.pid);
  }
}

async function failure(call: Promise<unknown>): Promise<TillSyncError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isTillSyncError(error)) throw error ?? new Error("expected a rejection");
  return error as unknown as TillSyncError;
}

/** A message and all that it was caused by. */
function everythingSaid(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${everythingSaid(error.cause)}`;
}

describe("a database that cannot be had is `storage_unavailable`, and says why, without the password", () => {
  const password = "hunter2-secret";
  const user = newName("user");
  const refusals: [string, () => string, RegExp][] = [
    ["a wrong password", () => urlOf({ password }), /refused the user or the password/],
    ["an unknown user", () => urlOf({ user, password }), /refused the (user|sign-in)/],
    ["an unknown database", () => urlOf({ database: newName("nowhere") }), /There is no such database/],
    [
      "nobody listens",
      () => urlOf({ port: "1", password }),
      /database at 127\.0\.0\.1:1\/\w+ could not be reached: .*ECONNREFUSED/,
    ],
    ["a host that does not exist", () => `postgres://u:${password}@no-such-host.invalid/shop`, /could not be reached/],
    ["a URL that is none", () => `postgres://u:${password}@[/shop`, /could not be read/],
  ];
  test.each(refusals)("%s", async (_name, url, message) => {
    const { store } = opened({ url: url() });
    for (const call of [store.secret(), takePosition(store, "operation-1"), read(store, { kind: "clock" })]) {
      const error = await failure(call);
      expect(error).toMatchObject({ code: "storage_unavailable", details: { adapter: "postgres" } });
      expect(error.message).toMatch(message);
      expect(everythingSaid(error)).not.toContain(password);
    }
  });

  test("an option that is wrong is refused at once, without the password", () => {
    for (const options of [{ url: `mysql://u:${password}@h/d` }, { url: password }, {}] as PostgresStoreOptions[]) {
      let said = "";
      try {
        postgresStore(options);
      } catch (error) {
        expect(error).toMatchObject({ code: "invalid_option", details: { option: "url" } });
        said = everythingSaid(error);
      }
      expect(said).toContain("postgres://");
      expect(said).not.toContain(password);
    }
    const url = database.url;
    expect(() => postgresStore({ url, schema: "x; drop table y" })).toThrow("Expected `schema` to be");
    expect(() => postgresStore({ url, role: 'a"b' })).toThrow("Expected `role` to be");
    expect(() => postgresStore({ url, maxConnections: 0 })).toThrow("Expected `maxConnections` to be");
  });

  test("without `pg`: says what to install", async () => {
    const error = await failure(findDriver(() => Promise.reject(new Error("Cannot find package"))));
    expect(error).toMatchObject({ code: "storage_unavailable", cause: { message: "Cannot find package" } });
    expect(error.message).toContain("npm install pg");
  });
});

test("an open that failed rejects that call, and the next one tries again", async () => {
  const later = newName("db");
  const { store } = opened({ url: urlOf({ database: later }) });
  await failure(store.secret());
  await database.query(`create database ${later}`);
  expect(await takePosition(store, "operation-1")).toBe(1);
  await store.close();
  await database.query(`drop database ${later} with (force)`);
});

test("a connection that is ended while a transaction waits for the clock row: it rejects, nothing is stored, the next one goes on", async () => {
  const { store, schema } = opened();
  await takePosition(store, "operation-1");
  const other = await neighbour();
  await other.query(`begin; select 1 from ${schema}.clocks for update`);
  const call = failure(takePosition(store, "operation-2"));
  await database.query("select pg_terminate_backend($1)", [await waiting()]);
  expect(await call).toMatchObject({ code: "storage_unavailable", cause: { code: "57P01" } });
  await other.query("rollback");
  expect(await read(store, { kind: "clock" })).toMatchObject({ position: 1 });
  expect(await takePosition(store, "operation-2")).toBe(2);
});

test("a connection that is ended while its writes wait: it rejects as one that may be stored, and nothing is", async () => {
  const { store, schema } = opened();
  await takePosition(store, "operation-1");
  const other = await neighbour();
  await other.query(`begin; lock table ${schema}.records in access exclusive mode`);
  const call = failure(write(store, { clock: clockRow(2), records: [recordRow("tea", 2)] }));
  await database.query("select pg_terminate_backend($1)", [await waiting()]);
  const error = await call;
  expect(error.code).toBe("storage_unavailable");
  expect(error.message).toContain("it may or may not be stored");
  await other.query("rollback");
  expect(await read(store, { kind: "clock" })).toMatchObject({ position: 1 });
  expect(await takePosition(store, "operation-2")).toBe(2);
});

test("a commit whose answer is lost rejects, and a resend finds what is stored", async () => {
  const { hostname, port } = new URL(database.url);
  const sockets: Socket[] = [];
  let isDeaf = false;
  const proxy = createServer((socket) => {
    const upstream = tcp(Number(port), hostname);
    sockets.push(socket);
    for (const end of [socket, upstream]) end.on("error", () => {});
    socket.pipe(upstream);
    upstream.on("data", (data) => {
      if (!isDeaf) socket.write(data);
    });
    socket.on("close", () => upstream.destroy());
    upstream.on("close", () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port: proxied } = proxy.address() as { port: number };
  const { store, schema } = opened({
    url: urlOf({ database: new URL(database.url).pathname.slice(1), port: String(proxied) }),
  });
  await takePosition(store, "operation-1");

  const push = () =>
    store.transact(SHOP, function* () {
      const [stored] = yield* ask({ kind: "operations", ids: ["sale"] });
      if (stored !== undefined) return { value: "replayed", writes: {} };
      isDeaf = true; // what the server answers to the writes never arrives
      return { value: "applied", writes: { clock: clockRow(2), operations: [operationRow("sale", 2)] } };
    });
  const call = failure(push());
  while ((await database.query(`select 1 from ${schema}.operations`)).length === 0);
  for (const socket of sockets) socket.destroy();
  const error = await call;
  expect(error.message).toContain("it may or may not be stored");
  isDeaf = false;
  expect(await push()).toBe("replayed");
  expect(await read(store, { kind: "clock" })).toEqual(clockRow(2));
  await store.close();
  proxy.close();
});

test("another process holds the clock row: the call rejects in bounded time, and so do those behind it", async () => {
  const { store, schema } = opened({ busyTimeoutMs: 200 });
  await takePosition(store, "operation-1");
  const other = await neighbour();
  await other.query(`begin; select 1 from ${schema}.clocks for update`);
  const calls = [takePosition(store, "first"), takePosition(store, "second"), takePosition(store, "third")].map(
    failure,
  );
  for (const error of await Promise.all(calls)) expect(error.code).toBe("storage_unavailable");
  expect((await calls[0])?.cause).toMatchObject({ code: "55P03" });
  expect(await read(store, { kind: "clock" })).toMatchObject({ position: 1 });
  await other.query("rollback");
  expect(await takePosition(store, "fourth")).toBe(2);
});

test("a statement that takes too long is cancelled", async () => {
  const { store, schema } = opened({ statementTimeoutMs: 200 });
  await takePosition(store, "operation-1");
  const other = await neighbour();
  await other.query(`begin; lock table ${schema}.records in access exclusive mode`);
  const error = await failure(read(store, { kind: "records", keys: [{ collection: "products", id: "tea" }] }));
  expect(error).toMatchObject({ code: "storage_unavailable", cause: { code: "57014" } });
  await other.query("rollback");
  expect(await read(store, { kind: "records", keys: [{ collection: "products", id: "tea" }] })).toEqual([]);
});

describe("what the database says while a transaction writes", () => {
  /** Each insert into records fails with the state, as often as it is told to. */
  async function failing(state: string, times: number) {
    const { store, schema } = opened();
    await takePosition(store, "operation-1");
    await database.query(`
      create sequence ${schema}.failures;
      create function ${schema}.fail() returns trigger security definer language plpgsql as $$ begin
        if nextval('${schema}.failures') <= ${times} then raise exception 'a test' using errcode = '${state}'; end if;
        return new;
      end $$;
      create trigger fail before insert on ${schema}.records for each row execute function ${schema}.fail()`);
    return store;
  }

  test.each(["40001", "40P01"])("%s: it is tried again, from the start of its script", async (state) => {
    const store = await failing(state, 3);
    let runs = 0;
    const position = await store.transact(SHOP, function* () {
      runs++;
      const clock = yield* ask({ kind: "clock" });
      const next = (clock?.position ?? 0) + 1;
      return { value: next, writes: { clock: clockRow(next), records: [recordRow("tea", next)] } };
    });
    expect([position, runs]).toEqual([2, 4]);
    expect(await read(store, { kind: "clock" })).toEqual(clockRow(2));
  });

  test.each([
    ["53100", "storage_full"],
    ["XX001", "storage_corrupt"],
    ["58030", "storage_unavailable"],
    ["25006", "storage_unavailable"],
    ["53300", "storage_unavailable"],
  ])("%s: %s, nothing is stored, and the next one goes on", async (state, code) => {
    const store = await failing(state, 1);
    const sale = { clock: clockRow(2), records: [recordRow("tea", 2)] };
    expect(await failure(write(store, sale))).toMatchObject({ code, cause: { code: state } });
    expect(await read(store, { kind: "clock" })).toMatchObject({ position: 1 });
    await write(store, sale);
    expect(await read(store, { kind: "clock" })).toEqual(clockRow(2));
  });
});

test("fifty transactions of one tenant leave connections for the others", async () => {
  const { store, schema } = opened({ maxConnections: 2 });
  await takePosition(store, "operation-1");
  const other = await neighbour();
  await other.query(`begin; select 1 from ${schema}.clocks for update`);
  const busy = Array.from({ length: 50 }, (_, n) => takePosition(store, `operation-${n}`));
  expect(await takePosition(store, "operation-1", "another shop")).toBe(1);
  expect(await read(store, { kind: "clock" })).toMatchObject({ position: 1 });
  await other.query("rollback");
  expect((await Promise.all(busy)).at(-1)).toBe(51);
});
