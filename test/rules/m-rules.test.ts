/** The M rules that can be seen from outside: limits, lanes, who speaks for whom, patches. */
import { defineCollection } from "tillsync/schema";
import { expect, test } from "vitest";
import * as z from "zod";
import { lostAnswer } from "../support/rule-line.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { saleOf, tea } from "../support/shop.ts";

test("what could never be sent is never stored [M1]", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 0 });
  const a = await shop.openTill();
  const many = a.client.transaction((tx) => {
    for (let n = 0; n < 251; n += 1) tx.products.increment("p-1", { stock: 1 });
  });
  await expect(many).rejects.toMatchObject({ code: "transaction_too_large" });
  const large = a.data.products.update("p-1", { note: "x".repeat(256 * 1024) });
  await expect(large).rejects.toMatchObject({ code: "transaction_too_large" });
  const heavy = a.client.transaction((tx) => {
    for (let n = 0; n < 3; n += 1) tx.products.create({ ...tea, id: `p-h${n}`, note: "x".repeat(200 * 1024) });
  });
  await expect(heavy).rejects.toMatchObject({ code: "transaction_too_large" });
  expect(a.operations).toEqual([]);
  expect((await a.data.products.find()).map(({ id }) => id)).toEqual(["p-1"]);
  // At the limit it goes.
  await a.client.transaction((tx) => {
    for (let n = 0; n < 250; n += 1) tx.products.increment("p-1", { stock: 1 });
  });
  await shop.converge(a);
  expect(shop.shown("products", "p-1").stock).toBe(250);
});

test("a server takes no transaction that is larger than a till may make [M1]", async () => {
  await using shop = new RuleShop();
  const peer = shop.peer();
  await peer.register();
  const steps = Array.from({ length: 251 }, () =>
    peer.make({ action: "increment", collection: "products", entityId: "p-1", by: { stock: 1 }, transaction: "t-1" }),
  );
  const results = await peer.push(...steps);
  expect(new Set(results.map(({ status, error }) => `${status} ${error?.code}`))).toEqual(
    new Set(["quarantined too_large"]),
  );
});

test("a row that is larger than a page comes all the same [M1]", async () => {
  const names = Array.from({ length: 11 }, (_, n) => `part${n}`);
  const collections = {
    manuals: defineCollection({
      schema: z.object(Object.fromEntries(names.map((name) => [name, z.string().default("")]))),
    }),
  };
  await using shop = new RuleShop({ collections });
  await shop.seed("manuals", { id: "m-1" }, { id: "m-2" });
  const a = await shop.openTill();
  const b = await shop.openTill();
  const manuals = a.data.manuals as unknown as { update(id: string, patch: object): Promise<unknown> };
  for (const name of names) await manuals.update("m-1", { [name]: "x".repeat(200 * 1024) });
  await manuals.update("m-2", { part0: "small" });
  await shop.converge(a, b);
  const sizes = b.line.of("pull").map(({ answer }) => JSON.stringify(answer).length);
  expect(Math.max(...sizes)).toBeGreaterThan(2 * 1024 * 1024);
});

test("an edit gets its turn, however many sales come in [M5]", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill({ sync: { batch: { maxOperations: 2 } } });
  a.line.up = false;
  await a.data.products.update("p-1", { priceCents: 1 });
  for (let n = 0; n < 40; n += 1) await a.data.sales.create({ id: `s-${n}`, ...saleOf(1, 0) });
  a.line.up = true;
  await a.sync();
  const turn = a.line.pushed.findIndex((batch) => batch.some(({ collection }) => collection === "products"));
  expect(turn).toBeGreaterThan(0); // sales go first
  expect(turn).toBeLessThan(4); // and one batch in four does not begin with them
  await shop.converge(a);
});

test("what a sale comes after travels with it, whatever its lane [M5]", async () => {
  await using shop = new RuleShop();
  const a = await shop.openTill({ sync: { batch: { maxOperations: 3 } } });
  a.line.up = false;
  for (let n = 0; n < 5; n += 1) await a.data.products.create({ ...tea, id: `p-${n}` });
  await a.data.customers.create({ id: "c-1", name: "Ann" });
  await a.data.sales.create({ id: "s-1", customerId: "c-1", ...saleOf(1, 0) });
  a.line.up = true;
  await a.sync();
  expect(a.line.pushed[0]?.map(({ entityId }) => entityId)).toEqual(["c-1", "p-1", "s-1"]);
  await shop.converge(a);
});

test("what was on its way when the app died is sent again, and counts once [M3]", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  const push = a.line.hold("push", "answer");
  await a.data.products.increment("p-1", { stock: -2 });
  const syncing = a.sync().catch(() => undefined);
  await push.arrived;
  expect((await a.client.operations.list())[0]?.status.state).toBe("in_flight");
  const dead = a.copyOfDisk();
  const again = shop.till({ disk: dead, device: a.device });
  expect((await again.client.operations.list())[0]?.status.state).toBe("pending");
  await shop.converge(again);
  expect(shop.shown("products", "p-1").stock).toBe(8);
  push.release();
  await syncing;
});

test("an edit that was given up before it was sent leaves a reason on the server [M6]", async () => {
  await using shop = new RuleShop();
  await shop.seed("customers", { id: "c-1", name: "Ann", phone: "1" });
  const a = await shop.openTill();
  a.line.up = false;
  await a.data.customers.update("c-1", { phone: "3" });
  const { id } = a.operationOn("c-1");
  await a.client.operations.discard({ id, kind: "record" }, { reason: "a slip" });
  expect((await a.data.customers.get("c-1"))?.phone).toBe("1");
  a.line.up = true;
  await shop.converge(a);
  expect(shop.operation(id)).toMatchObject({ status: "rejected", supersededBy: a.operations.at(-1)?.id });
});

test("a till speaks for the device of its token, and for no other [M9]", async () => {
  await using shop = new RuleShop();
  const a = shop.till({ device: "till-a", tokenDevice: "till-b" });
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  expect(await a.sync()).toMatchObject({ outcome: "action_needed", cause: "auth_required" });
  expect(a.line.of("register").at(-1)?.answer.code).toBe("device_mismatch");
  const peer = shop.peer("till-b");
  await peer.register();
  const sale = peer.make({ action: "create", collection: "sales", entityId: "s-2", data: saleOf(1, 0) });
  for (const [inBody, inHeader] of [
    ["till-c", "till-b"],
    ["till-b", "till-c"],
  ] as const) {
    const body = {
      device: { id: inBody, incarnation: peer.incarnation },
      epoch: peer.epoch,
      marks: {},
      operations: [sale],
    };
    const answer = await shop.call(peer.token, "POST", "/push", body, inHeader);
    expect([answer.status, answer.body.code]).toEqual([403, "device_mismatch"]);
  }
  expect(shop.operations).toEqual([]);
});

test("a patch sets and removes whole members; null is a value [M10]", async () => {
  const collections = {
    tables: defineCollection({
      schema: z.object({
        name: z.string(),
        note: z.string().optional(),
        guest: z.string().nullable(),
        place: z.object({ room: z.string().optional(), row: z.int().optional() }),
      }),
    }),
  };
  await using shop = new RuleShop({ collections });
  await shop.seed("tables", {
    id: "t-1",
    name: "Window",
    note: "draughty",
    guest: "Ann",
    place: { room: "bar", row: 1 },
  });
  const a = await shop.openTill();
  const b = await shop.openTill();
  await a.data.tables.update("t-1", { note: undefined, guest: null, place: { row: 2 } });
  expect(a.operations[0]).toMatchObject({ patch: { guest: null, place: { row: 2 } }, unset: ["note"] });
  await shop.converge(a, b);
  const expected = { id: "t-1", name: "Window", guest: null, place: { row: 2 } };
  expect(await b.data.tables.get("t-1")).toEqual(expected);
  expect(shop.shown("tables", "t-1")).toEqual({ name: "Window", guest: null, place: { row: 2 } });
  // Two tills that set different members of the row do not meet.
  await a.data.tables.update("t-1", { note: "quiet" });
  await b.data.tables.update("t-1", { guest: "Bob" });
  await shop.converge(a, b);
  expect(shop.shown("tables", "t-1")).toMatchObject({ note: "quiet", guest: "Bob" });
});

test("of two tills that set one nested member, each the whole of it, one is in conflict [M10]", async () => {
  const collections = {
    tables: defineCollection({ schema: z.object({ place: z.object({ room: z.string(), row: z.int() }) }) }),
  };
  await using shop = new RuleShop({ collections });
  await shop.seed("tables", { id: "t-1", place: { room: "bar", row: 1 } });
  const a = await shop.openTill();
  const b = await shop.openTill();
  await a.data.tables.update("t-1", { place: { room: "bar", row: 2 } });
  await b.data.tables.update("t-1", { place: { room: "hall", row: 1 } });
  await a.sync();
  await shop.converge(a, b);
  expect(shop.shown("tables", "t-1").place).toEqual({ room: "bar", row: 2 });
  expect(await b.client.conflicts.list({ state: "settled" })).toHaveLength(1);
});

test("a lost answer costs no attempt, and a sale that went through is never shown as waiting again", async () => {
  await using shop = new RuleShop();
  const a = await shop.openTill();
  a.line.next("push", lostAnswer);
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.sync();
  await shop.converge(a);
  expect((await a.data.sales.meta("s-1"))?.sync).toBe("synced");
});

test("without a poke a till asks at least once a minute, and tills do not all ask at once [M7]", async () => {
  await using shop = new RuleShop();
  const asked = [0, 1].map((): number[] => []);
  for (const times of asked) {
    const till = shop.till({ sync: { auto: true, intervalMs: 60_000 } });
    till.line.always = (deliver, _request, { endpoint }) => {
      if (endpoint === "pull") times.push(shop.clock.monotonic());
      return deliver();
    };
    await till.client.start();
  }
  await shop.pass(10 * 60_000);
  for (const times of asked) {
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(8);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(60_000);
  }
  const [first, second] = asked.map((times) => times.slice(1).join());
  expect(first).not.toBe(second);
});
