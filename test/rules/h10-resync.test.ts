/** [H10] Starting again replaces what the till has from the server, and nothing of its own. */

import { defineCollection } from "tillsync/schema";
import { expect, test } from "vitest";
import * as z from "zod";
import type { Coordinator } from "../../src/client/ports/coordinator.ts";
import { lostRequest } from "../support/rule-line.ts";
import { RuleShop } from "../support/rule-shop.ts";
import type { RuleTill } from "../support/rule-till.ts";
import { collections, saleOf, tea } from "../support/shop.ts";

/** What the till has of its cursors is worth nothing any more. */
function forgeCursors(till: RuleTill, collection: string): void {
  till.rewrite("meta", (value: { cursor?: string }, key: string) =>
    key === `cursor:${collection}` ? { ...value, cursor: "forged" } : value,
  );
}

test("rows that a resync does not bring are gone", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  const b = await shop.openTill();
  const restore = shop.backup();
  await b.data.products.create({ ...tea, id: "p-9" });
  await shop.converge(b, a);
  expect(await a.data.products.get("p-9")).toBeDefined();
  // The till that made it is destroyed, with everything on it.
  await b.client.close();
  await restore("announced");
  await shop.converge(a);
  expect(await a.data.products.get("p-9")).toBeUndefined();
  expect(a.rows("products").map(({ id }) => id)).toEqual(["p-1"]);
});

test("a view keeps all its fields while everything is pulled again under a pending edit, and the edit stays", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  await a.data.products.increment("p-1", { stock: -2 });
  a.line.always = (deliver, _request, { endpoint }) =>
    endpoint === "push" ? lostRequest(deliver, _request, {} as never) : deliver();
  await a.data.products.update("p-1", { priceCents: 1 });
  await a.sync();
  const shown = ["name", "priceCents", "stock"].map((field) => a.watch("products", "p-1", field));
  forgeCursors(a, "products");
  const pull = a.line.hold("pull", "request");
  const refused = a.line.of("pull").length;
  const syncing = a.sync();
  await pull.arrived;
  pull.release();
  await syncing;
  await a.sync();
  await shop.clock.settle();
  expect(
    a.line
      .of("pull")
      .slice(refused)
      .map(({ status }) => status),
  ).toContain(409);
  expect(shown.map((values) => [...new Set(values)])).toEqual([["Tea"], [1], [8]]);
  expect(a.operations.map(({ state }) => state)).toEqual(["pending", "pending"]);
  a.line.always = undefined;
  await shop.converge(a);
  expect(shop.shown("products", "p-1")).toMatchObject({ priceCents: 1, stock: 8 });
});

test("a row that the resync does not bring stays as long as something of this till is on it", async () => {
  await using shop = new RuleShop();
  const a = await shop.openTill();
  const b = await shop.openTill();
  const restore = shop.backup();
  await b.data.products.create({ ...tea, id: "p-9" });
  await shop.converge(b, a);
  a.line.up = false;
  await a.data.products.update("p-9", { priceCents: 1 });
  await restore("announced");
  a.line.up = true;
  await a.sync();
  await a.sync();
  expect(await a.data.products.get("p-9")).toMatchObject({ name: "Tea", priceCents: 1 });
  await b.sync();
  await shop.clock.advance(61_000);
  await shop.converge(a, b);
  expect(shop.shown("products", "p-9").priceCents).toBe(1);
});

test("sales that nobody has answered yet outlive a resync", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  a.line.up = false;
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  forgeCursors(a, "sales");
  a.line.up = true;
  await shop.converge(a);
  expect(shop.row("sales", "s-1")?.state).toBe("live");
  expect(await a.data.sales.get("s-1")).toBeDefined();
});

test("rows that may not be read any more leave the till, and come back with the right to read them", async () => {
  await using shop = new RuleShop({
    collections,
    policies: {
      customers: {
        scope: "tenant",
        allow: { read: "people", create: "everyone", update: "everyone", delete: "everyone" },
      },
    },
  });
  await shop.seed("customers", { id: "c-1", name: "Ann", phone: "1" });
  const a = await shop.openTill({ scopes: ["sync", "people"] });
  expect(await a.data.customers.get("c-1")).toBeDefined();
  a.principal.scopes = ["sync"];
  await a.sync();
  await a.sync();
  expect(await a.data.customers.get("c-1")).toBeUndefined();
  a.principal.scopes = ["sync", "people"];
  await shop.converge(a);
  expect(await a.data.customers.get("c-1")).toBeDefined();
});

test("a page that was asked for by somebody who has lost the turn is dropped", async () => {
  /** A lock that everybody is given: it is no fence. */
  const everybody: Coordinator = {
    "~port": "coordinator",
    exclusive: (_name, signal, work) => work(signal),
    broadcast: () => {},
    subscribe: () => () => {},
  };
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const options = { coordinator: everybody };
  const a = await shop.openTill({ options });
  const b = await shop.openTill();
  await b.data.products.update("p-1", { priceCents: 1 });
  await b.sync();
  const pull = a.line.hold("pull", "answer");
  const syncing = a.sync();
  await pull.arrived;
  // Another tab of the same till takes over, and pulls further.
  const tab = shop.till({ disk: a.disk, device: a.device, options });
  await b.data.products.update("p-1", { priceCents: 2 });
  await b.sync();
  await tab.sync();
  const cursors = () =>
    a.disk.snapshot("shop").tables.meta?.filter(([key]) => key.startsWith("cursor:") || key === "sync");
  const before = cursors();
  const shown = a.watch("products", "p-1", "priceCents");
  pull.release();
  await syncing;
  await shop.clock.settle();
  expect(cursors()?.map(([, value]) => (value as { cursor?: string }).cursor)).toEqual(
    before?.map(([, value]) => (value as { cursor?: string }).cursor),
  );
  expect(new Set(shown)).toEqual(new Set([2]));
  await shop.converge(tab, b);
});

test("a page that shows a till nothing still takes it forward", async () => {
  const tables = defineCollection({ schema: z.object({ branch: z.string(), name: z.string() }) });
  const everyone = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
  await using shop = new RuleShop({
    collections: { tables },
    policies: { tables: { scope: { branch: (table) => table.branch }, allow: everyone } },
  });
  const a = await shop.openTill({ branch: "b-1" });
  const b = await shop.openTill({ branch: "b-2" });
  for (let n = 0; n < 3; n += 1) await b.data.tables.create({ id: `t-${n}`, branch: "b-2", name: "Window" });
  await b.sync();
  const before = a.line.of("pull").at(-1)?.answer.pages.tables.cursor;
  await a.sync();
  const page = a.line.of("pull").at(-1)?.answer.pages.tables;
  expect(page.changes).toEqual([]);
  expect(page.cursor).not.toBe(before);
  await shop.converge(a, b);
});
