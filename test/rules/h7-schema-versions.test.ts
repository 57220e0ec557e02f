/** [H7] An operation is of the version that it was made in, whoever sends it, whenever. */
import { defineCollection } from "tillsync/schema";
import { expect, test } from "vitest";
import * as z from "zod";
import { RuleShop } from "../support/rule-shop.ts";

const tickets = defineCollection({ kind: "fact", schema: z.object({ cents: z.int() }) });
const first = { tickets, tables: defineCollection({ schema: z.object({ name: z.string(), seats: z.int() }) }) };
/** `seats` has become `places`, and `cents` an `amount`. */
const second = {
  tickets: defineCollection({
    kind: "fact",
    schemaVersion: 2,
    schema: z.object({ amount: z.int() }),
    upcast: { 1: ({ cents, ...rest }) => ({ ...rest, amount: cents }) },
  }),
  tables: defineCollection({
    schemaVersion: 2,
    schema: z.object({ name: z.string(), places: z.int() }),
    upcast: { 1: ({ seats, ...rest }) => ({ ...rest, ...(seats !== undefined && { places: seats }) }) },
  }),
};
const third = {
  tickets: defineCollection({
    kind: "fact",
    schemaVersion: 3,
    schema: z.object({ amount: z.int() }),
    // Version 1 can't be read any more.
    upcast: {
      1: () => {
        throw new Error("forgotten");
      },
      2: (data) => data,
    },
  }),
  tables: defineCollection({
    schemaVersion: 3,
    schema: z.object({ name: z.string(), places: z.int() }),
    upcast: {
      1: () => {
        throw new Error("forgotten");
      },
      2: (data) => data,
    },
  }),
};

test("what was queued under the old app is read as that, though the new app sends it", async () => {
  await using shop = new RuleShop({ collections: first });
  await shop.seed("tables", { id: "t-1", name: "Window", seats: 4 });
  const a = await shop.openTill();
  a.line.up = false;
  await a.data.tickets.create({ id: "k-1", cents: 500 });
  await a.data.tables.update("t-1", { seats: 6 });
  shop.upgrade(second);
  const newer = await shop.restart(a, { collections: second });
  await newer.sync();
  expect(newer.line.pushed.flat().map(({ schemaVersion }) => schemaVersion)).toEqual([1, 1]);
  expect(newer.operations.map(({ state }) => state)).toEqual(["applied", "applied"]);
  expect(shop.shown("tickets", "k-1")).toEqual({ amount: 500 });
  expect(shop.shown("tables", "t-1")).toEqual({ name: "Window", places: 6 });
});

test("a till that is newer than the server keeps what it made until the server is brought up", async () => {
  await using shop = new RuleShop({ collections: first as typeof first });
  const a = await shop.openTill({ collections: { ...first, tickets: second.tickets } });
  const data = a.data as unknown as {
    tickets: { create(data: object): Promise<unknown> };
    tables: { create(data: object): Promise<unknown> };
  };
  await data.tickets.create({ id: "k-1", amount: 500 });
  await data.tables.create({ id: "t-1", name: "Window", seats: 4 });
  await a.sync();
  // Not final, and not the whole request.
  expect(a.operationOn("k-1")).toMatchObject({ state: "blocked", error: { code: "schema_newer" } });
  expect(a.operationOn("t-1").state).toBe("applied");
  shop.upgrade({ ...first, tickets: second.tickets });
  await shop.clock.advance(61_000);
  await a.sync();
  await a.sync();
  expect(a.operationOn("k-1").state).toBe("applied");
  expect(shop.shown("tickets", "k-1")).toEqual({ amount: 500 });
});

test("what is too old to be read is set aside if it is a sale, and refused if it is an edit", async () => {
  await using shop = new RuleShop({ collections: first });
  await shop.seed("tables", { id: "t-1", name: "Window", seats: 4 });
  const peer = shop.peer();
  await peer.register();
  shop.upgrade(third);
  const [ticket, table, fresh] = await peer.push(
    peer.make({ action: "create", collection: "tickets", entityId: "k-1", data: { cents: 500 } }),
    peer.make({ action: "create", collection: "tables", entityId: "t-2", data: { name: "Bar", seats: 2 } }),
    peer.make({ action: "create", collection: "tickets", entityId: "k-2", data: { amount: 500 }, schemaVersion: 2 }),
  );
  expect(ticket).toMatchObject({ status: "quarantined", error: { code: "schema_too_old" } });
  expect(table).toMatchObject({ status: "rejected", error: { code: "schema_too_old" } });
  expect(fresh).toMatchObject({ status: "applied" });
});
