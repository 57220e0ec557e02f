/** [C10] A branch sees its own rows, and its sales stay its own. */
import { defineCollection } from "tillsync/schema";
import { expect, test } from "vitest";
import * as z from "zod";
import { RuleShop } from "../support/rule-shop.ts";

const collections = {
  tables: defineCollection({
    schema: z.object({ branch: z.string(), name: z.string(), covers: z.int().default(0) }),
    counters: ["covers"],
  }),
  tickets: defineCollection({ kind: "fact", schema: z.object({ branch: z.string(), cents: z.int() }) }),
};
const everyone = { read: "everyone", create: "everyone" } as const;

function branchShop() {
  return new RuleShop({
    collections,
    policies: {
      tables: {
        scope: { branch: (table) => table.branch },
        allow: { ...everyone, update: "everyone", delete: "everyone" },
      },
      tickets: { scope: { branch: (ticket) => ticket.branch }, allow: everyone },
    },
  });
}
const tableOf = (branch: string, name = "Window") => ({ branch, name });

test("a till receives the rows of its own branch, and a head office all of them", async () => {
  await using shop = branchShop();
  const a = await shop.openTill({ branch: "b-1" });
  const b = await shop.openTill({ branch: "b-2" });
  const office = await shop.openTill();
  await a.data.tables.create({ id: "t-1", ...tableOf("b-1") });
  await b.data.tables.create({ id: "t-2", ...tableOf("b-2") });
  await b.data.tickets.create({ id: "k-2", branch: "b-2", cents: 5 });
  await shop.converge(a, b, office);
  expect(a.rows("tables").map(({ id }) => id)).toEqual(["t-1"]);
  expect(a.rows("tickets")).toEqual([]);
  expect(
    office
      .rows("tables")
      .map(({ id }) => id)
      .sort(),
  ).toEqual(["t-1", "t-2"]);
  expect(JSON.stringify(a.line.exchanges)).not.toContain("t-2");
});

test("a row that goes to another branch leaves the tills of the old one, and comes back with it", async () => {
  await using shop = branchShop();
  const a = await shop.openTill({ branch: "b-1" });
  const b = await shop.openTill({ branch: "b-2" });
  const office = await shop.openTill();
  await a.data.tables.create({ id: "t-1", ...tableOf("b-1") });
  await shop.converge(a, b, office);
  await office.data.tables.update("t-1", { branch: "b-2" });
  await shop.converge(office, a, b);
  expect(await a.data.tables.get("t-1")).toBeUndefined();
  expect(await b.data.tables.get("t-1")).toBeDefined();
  await office.data.tables.update("t-1", { branch: "b-1" });
  await shop.converge(office, a, b);
  expect(await a.data.tables.get("t-1")).toBeDefined();
  expect(await b.data.tables.get("t-1")).toBeUndefined();
});

test("a guessed id shows nothing of another branch's row", async () => {
  await using shop = branchShop();
  const a = await shop.openTill({ branch: "b-1" });
  const b = await shop.openTill({ branch: "b-2" });
  await b.data.tables.create({ id: "t-2", ...tableOf("b-2", "Secret") });
  await b.sync();
  await a.data.tables.create({ id: "t-2", ...tableOf("b-1", "Guess") });
  await a.sync();
  expect(a.operationOn("t-2")).toMatchObject({ state: "rejected", error: { code: "out_of_scope" } });
  expect(JSON.stringify(a.line.exchanges)).not.toContain("Secret");
  expect(await a.data.tables.get("t-2")).toBeUndefined();
  expect(shop.shown("tables", "t-2").name).toBe("Secret");
  await shop.converge(a, b);
});

test("edits and deletes of a row that is another branch's are answered like those of one that is not there", async () => {
  await using shop = branchShop();
  const b = await shop.openTill({ branch: "b-2" });
  await b.data.tables.create({ id: "t-2", ...tableOf("b-2", "Secret") });
  await b.sync();
  const peer = shop.peer("peer", { branch: "b-1" });
  await peer.register();
  const edit = (entityId: string) =>
    peer.make({ action: "update", collection: "tables", entityId, baseVersion: 0, patch: { name: "X" } });
  const remove = (entityId: string) => peer.make({ action: "delete", collection: "tables", entityId, baseVersion: 0 });
  const answers = await peer.push(edit("t-2"), edit("t-9"), remove("t-2"), remove("t-9"));
  const [first] = answers.map(({ id: _, ...rest }) => rest);
  expect(first).toMatchObject({ status: "rejected", error: { code: "out_of_scope" } });
  for (const { id: _, ...rest } of answers) expect(rest).toEqual(first);
  expect(shop.shown("tables", "t-2").name).toBe("Secret");
});

test("a step of a counter, and a sale, of another branch are applied with a flag, and show nothing", async () => {
  await using shop = branchShop();
  const b = await shop.openTill({ branch: "b-2" });
  await b.data.tables.create({ id: "t-2", ...tableOf("b-2", "Secret") });
  await b.sync();
  const a = await shop.openTill({ branch: "b-1" });
  const peer = shop.peer("peer", { branch: "b-1" });
  await peer.register();
  const [step, ticket] = await peer.push(
    peer.make({ action: "increment", collection: "tables", entityId: "t-2", by: { covers: 2 } }),
    peer.make({ action: "create", collection: "tickets", entityId: "k-1", data: { branch: "b-2", cents: 5 } }),
  );
  for (const result of [step, ticket]) {
    expect(result).toMatchObject({ status: "applied", flags: [{ code: "out_of_scope" }] });
    expect(result?.data).toBeUndefined();
  }
  await shop.converge(a, b);
  expect(shop.shown("tables", "t-2").covers).toBe(2);
});

test("yesterday's sales of a till that was moved to another branch are set aside, and never re-homed", async () => {
  await using shop = branchShop();
  const a = shop.till({ branch: "b-1", sync: { auto: true } });
  const b = await shop.openTill({ branch: "b-2" });
  await a.client.start();
  await shop.pass(1_000);
  a.line.up = false;
  await a.data.tickets.create({ id: "k-1", branch: "b-1", cents: 5 });
  await shop.pass(1_000);
  // Its token is renewed, and names the other branch now.
  a.principal.branch = "b-2";
  a.line.up = true;
  await shop.pass(120_000);
  const ticket = a.operationOn("k-1").id;
  expect(shop.operation(ticket)).toMatchObject({
    status: "quarantined",
    result: { error: { code: "branch_mismatch" } },
  });
  expect(shop.row("tickets", "k-1")).toBeUndefined();
  await b.sync();
  expect(b.rows("tickets")).toEqual([]);
  // The office lets it in: where it was made.
  await shop.office.release(ticket);
  expect(shop.row("tickets", "k-1")?.scope).toBe("b-1");
  await shop.converge(b);
  expect(b.rows("tickets")).toEqual([]);
});

test("a disk of one branch is not filled from another: the till says so, and keeps what it has", async () => {
  await using shop = branchShop();
  const a = await shop.openTill({ branch: "b-1" });
  await a.data.tables.create({ id: "t-1", ...tableOf("b-1") });
  await a.sync();
  a.line.up = false;
  await a.data.tickets.create({ id: "k-1", branch: "b-1", cents: 5 });
  a.line.up = true;
  a.principal.branch = "b-2";
  expect(await a.sync()).toMatchObject({ outcome: "action_needed", cause: "wrong_workspace" });
  expect(shop.row("tickets", "k-1")).toBeUndefined();
  expect(await a.data.tables.get("t-1")).toBeDefined();
  a.principal.branch = "b-1";
  await shop.converge(a);
  expect(shop.row("tickets", "k-1")?.state).toBe("live");
});
