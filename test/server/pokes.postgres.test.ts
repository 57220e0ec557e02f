/** Pokes from one server process to the sockets of another, over a real PostgreSQL. */
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { PokeHint } from "../../src/server/index.ts";
import { postgresPokes, postgresStore } from "../../src/server/postgres/index.ts";
import { createSyncServer } from "../../src/server/server.ts";
import { newDatabase, type TestDatabase } from "../support/postgres.ts";
import { authenticate, openTill } from "./support/http.ts";
import { probeClock } from "./support/probe-clock.ts";
import { collections, policies } from "./support/shop.ts";
import { product, sale } from "./support/world.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await newDatabase();
});
afterAll(() => database.drop());

/** Something that happens, and that can be waited for as often as it does. */
function counter<T>() {
  const happened: T[] = [];
  let wake = () => {};
  return {
    happened,
    add(value: T) {
      happened.push(value);
      wake();
    },
    async until(count: number): Promise<readonly T[]> {
      while (happened.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return happened;
    },
  };
}

/** A relay that listens. */
async function relay() {
  const connected = counter<string>();
  const logger = {
    error() {},
    debug() {},
    info: (message: string) => {
      if (message.startsWith("Receiving pokes")) connected.add(message);
    },
  };
  const heard = counter<PokeHint>();
  const pokes = postgresPokes({ url: database.url, logger, clock: probeClock() });
  onTestFinished(() => pokes.close());
  pokes.subscribe(heard.add);
  await connected.until(1);
  return { pokes, heard, connected };
}

test("a push at one server pokes the tills at the other, and not the one that made it", async () => {
  const [north, south] = [await relay(), await relay()];
  const servers = [north, south].map(({ pokes }) => {
    const store = postgresStore({ url: database.url });
    onTestFinished(() => store.close());
    return createSyncServer({ store, authenticate, collections, policies: policies({}), pokes });
  });
  const sent: Record<string, ReturnType<typeof counter<string>>> = {};
  for (const [index, server] of servers.entries()) {
    for (const who of ["shop/a", "shop/b", "othershop/b"]) {
      const pokes = counter<string>();
      sent[`${who} ${index}`] = pokes;
      const request = new Request("http://shop.test/sync/live", { headers: { authorization: `Bearer ${who}` } });
      expect(await server.live.connect(request, { send: pokes.add, close() {} })).not.toBeInstanceOf(Response);
    }
  }
  const till = await openTill(servers[0]!, "a");
  await till.push(product("p-1"), sale("s-1"));
  for (const index of [0, 1]) {
    const [poke] = await sent[`shop/b ${index}`]!.until(1);
    expect(JSON.parse(poke ?? "").collections.sort()).toEqual(["products", "sales"]);
  }
  // Behind it on the same connections: whatever was on its way has come.
  north.pokes.publish({ tenant: "another", device: undefined, collections: ["products"] });
  while (south.heard.happened.at(-1)?.tenant !== "another") await south.heard.until(south.heard.happened.length + 1);
  const counts = Object.fromEntries(Object.entries(sent).map(([who, { happened }]) => [who, happened.length]));
  expect(counts).toEqual({
    ...{ "shop/a 0": 0, "shop/b 0": 1, "othershop/b 0": 0 },
    ...{ "shop/a 1": 0, "shop/b 1": 1, "othershop/b 1": 0 },
  });
});

test("what is published while a notification is under way goes together, and one's own is not heard", async () => {
  const [north, south] = [await relay(), await relay()];
  for (let n = 0; n < 200; n++) {
    north.pokes.publish({ tenant: "shop", device: "a", collections: [n % 2 === 0 ? "sales" : "products"] });
  }
  north.pokes.publish({ tenant: "last", device: undefined, collections: [] });
  await south.heard.until(1);
  while (south.heard.happened.at(-1)?.tenant !== "last") await south.heard.until(south.heard.happened.length + 1);
  const heard = south.heard.happened.filter(({ tenant }) => tenant === "shop");
  expect(heard.length).toBeLessThanOrEqual(2);
  expect(new Set(heard.flatMap((hint) => hint.collections))).toEqual(new Set(["sales", "products"]));
  expect(north.heard.happened).toEqual([]);
});

test("a lost connection is made again; until then hints are dropped, and nobody fails", async () => {
  const [north, south] = [await relay(), await relay()];
  const pokers = "application_name = 'tillsync-pokes' and datname = current_database()";
  await database.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${pokers}`);
  north.pokes.publish({ tenant: "shop", device: undefined, collections: ["sales"] });
  await Promise.all([north.connected.until(2), south.connected.until(2)]);
  north.pokes.publish({ tenant: "after", device: undefined, collections: ["sales"] });
  while (south.heard.happened.at(-1)?.tenant !== "after") await south.heard.until(south.heard.happened.length + 1);
});

test("a notification that is not ours is ignored, and one that is too long loses its names", async () => {
  const [north, south] = [await relay(), await relay()];
  for (const payload of ["", "{", "null", '["x"]'])
    await database.query("select pg_notify('tillsync_pokes', $1)", [payload]);
  const names = Array.from({ length: 500 }, (_, n) => `collection-${n}`);
  north.pokes.publish({ tenant: "shop", device: "a", collections: names });
  expect(await south.heard.until(1)).toEqual([{ tenant: "shop", device: "a", collections: [] }]);
});

test("a database that is not there stops nobody", async () => {
  const url = new URL(database.url);
  url.port = "1";
  const pokes = postgresPokes({ url: url.href });
  pokes.subscribe(() => {});
  pokes.publish({ tenant: "shop", device: undefined, collections: ["sales"] });
  await pokes.close();
  expect(() => postgresPokes({ url: "mysql://x" })).toThrow("Expected `url` to be");
});
