import { describe, expect, test } from "vitest";
import { clientWins, serverWins } from "../../../../src/conflict/index.ts";
import { withBadges } from "../../support/shop.ts";
import { count, edit, product, ServerWorld } from "../../support/world.ts";

const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
const remove = (id: string, baseVersion: number) => ({
  action: "delete",
  collection: "products",
  entityId: id,
  baseVersion,
});

/** What a resolver is given. */
interface Question {
  readonly base: object | undefined;
  readonly client: object;
  readonly server: object;
  readonly fields: readonly string[];
}

/** Two tills of a shop whose policy settles conflicts. Till a has changed the price of the product p-1. */
async function settledBy(conflict: unknown, used?: object) {
  const world = await ServerWorld.open(
    { products: { scope: "tenant", allow, conflict } } as never,
    ...(used === undefined ? [] : [used as never]),
  );
  const [a, b] = [world.till("a"), world.till("b")];
  await a.push(product("p-1", { name: "Cola", note: "cold" }), edit("p-1", 0, { priceCents: 300 }), count("p-1", 4));
  return { world, a, b };
}

describe("what the resolver is asked", () => {
  test("both sides with their counters, the fields, and a base in which the till's other changes are its own", async () => {
    const asked: Question[] = [];
    const { world, b } = await settledBy((question: Question) => {
      asked.push(question);
      return "manual";
    });
    const created = (await world.row("products", "p-1"))?.createdVersion ?? 0;
    await b.send(edit("p-1", created, { priceCents: 1 }, { unset: [] }));
    expect(asked).toMatchObject([
      {
        base: { id: "p-1", name: "Cola", note: "cold", stock: 4 },
        client: { id: "p-1", name: "Cola", note: "cold", priceCents: 1, stock: 4 },
        server: { id: "p-1", name: "Cola", note: "cold", priceCents: 300, stock: 4 },
        fields: ["priceCents"],
      },
    ]);
    expect(asked[0]?.base).not.toHaveProperty("priceCents");
  });
  test("nothing, if one side has deleted the row: it needs both, so people decide", async () => {
    const asked: Question[] = [];
    const ask = (question: Question) => {
      asked.push(question);
      return "client";
    };
    const { world, a, b } = await settledBy(ask);
    expect(await b.send(remove("p-1", 1))).toMatchObject({ status: "conflict" });
    await a.send(remove("p-1", 2 ** 52));
    expect(await b.send(edit("p-1", 1, { name: "Tea" }))).toMatchObject({ status: "conflict" });
    expect(asked).toEqual([]);
    expect(world.logged.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("what comes of its answer", () => {
  test("the server's row: the till gets it with its version, and the desk has the edit that lost (L1)", async () => {
    const { world, b } = await settledBy(serverWins());
    const before = await world.row("products", "p-1");
    const result = await b.send(edit("p-1", 1, { priceCents: 1 }));
    expect(result).toMatchObject({
      status: "applied",
      version: before?.version,
      data: { priceCents: 300, stock: 4 },
    });
    expect(await world.row("products", "p-1")).toEqual(before);
    expect(await world.conflicts(true)).toMatchObject([
      {
        operationId: result.id,
        fields: ["priceCents"],
        client: { priceCents: 1 },
        server: { version: before?.version, data: { priceCents: 300 } },
        scope: "",
        device: "b",
        settled: { choice: "server", by: "policy", at: expect.any(Number) },
      },
    ]);
  });
  test("the server's deletion stands, and the till hears of it", async () => {
    const { a, b } = await settledBy(serverWins());
    await a.send(remove("p-1", 2 ** 52));
    const result = await b.send(edit("p-1", 1, { name: "Tea" }));
    expect(result).toMatchObject({ status: "applied", deleted: true });
    expect(result).not.toHaveProperty("data");
  });
  test("the client's edit: only its fields are stamped as its own", async () => {
    const { world, b } = await settledBy(clientWins());
    const before = await world.row("products", "p-1");
    expect(await b.send(edit("p-1", 1, { priceCents: 1 }))).toMatchObject({
      status: "applied",
      data: { name: "Cola", priceCents: 1, stock: 4 },
    });
    const after = await world.row("products", "p-1");
    expect(after?.createdVersion).toBe(before?.createdVersion);
    expect(after?.counters).toEqual({ stock: 4 });
    expect(after?.fields).toEqual({ ...before?.fields, priceCents: [after?.version, "inc-b"] });
    expect(await world.conflicts(true)).toMatchObject([{ settled: { choice: "client" } }]);
  });
  test("the client's deletion: the row is gone, with its counters kept", async () => {
    const { world, b } = await settledBy(clientWins());
    const before = await world.row("products", "p-1");
    const result = await b.send(remove("p-1", 1));
    expect(result).toMatchObject({ status: "applied", deleted: true });
    const after = await world.row("products", "p-1");
    expect(after).toMatchObject({ state: "deleted", counters: { stock: 4 }, data: before?.data });
    expect(Object.keys(after?.fields ?? {}).sort()).toEqual(Object.keys(before?.fields ?? {}).sort());
    expect(await world.conflicts(true)).toMatchObject([{ client: {}, settled: { choice: "client" } }]);
  });
  test("the client's edit of a deleted row begins its life again", async () => {
    const { world, a, b } = await settledBy(clientWins());
    await a.send(remove("p-1", 2 ** 52));
    expect(await b.send(edit("p-1", 1, { name: "Tea" }))).toMatchObject({
      status: "applied",
      data: { name: "Tea", note: "cold", stock: 4 },
    });
    const row = await world.row("products", "p-1");
    expect(row).toMatchObject({ state: "live", createdVersion: row?.version });
    const stamps = Object.values(row?.fields ?? {});
    expect(stamps.every(([version, writer]) => version === row?.version && writer === "inc-b")).toBe(true);
  });
  test("the client's create over another one's: the desk has what it would have been", async () => {
    const { world, b } = await settledBy(serverWins());
    expect(await b.send(product("p-1", { name: "Tea" }))).toMatchObject({ status: "applied", data: { name: "Cola" } });
    expect(await world.conflicts(true)).toMatchObject([
      { client: { name: "Tea" }, fields: expect.arrayContaining(["name", "note", "priceCents"]) },
    ]);
  });
  test("a merged record: what it changes of the server's is stamped, and the rest is not", async () => {
    const { world, b } = await settledBy(() => ({ id: "p-1", name: "Merged", priceCents: 300, stock: 99 }));
    const before = await world.row("products", "p-1");
    expect(await b.send(edit("p-1", 1, { priceCents: 1 }))).toMatchObject({
      status: "applied",
      data: { name: "Merged", priceCents: 300, stock: 4 },
    });
    const after = await world.row("products", "p-1");
    expect(after?.data).toEqual({ name: "Merged", priceCents: 300 });
    const stamped = Object.entries(after?.fields ?? {}).filter(([, [version]]) => version === after?.version);
    expect(stamped.map(([name]) => name).sort()).toEqual(["name", "note"]);
    expect(after?.createdVersion).toBe(before?.createdVersion);
    expect(await world.conflicts(true)).toMatchObject([{ settled: { choice: "merged" } }]);
  });
  test("a record that the schema refuses: the conflict is left to people, and nothing is written", async () => {
    const { world, b } = await settledBy(() => ({ id: "p-1", name: "", priceCents: 1, stock: 4 }));
    const before = await world.row("products", "p-1");
    expect(await b.send(edit("p-1", 1, { priceCents: 1 }))).toMatchObject({ status: "conflict" });
    expect(await world.row("products", "p-1")).toEqual(before);
    expect(await world.conflicts()).toHaveLength(1);
  });
  test("a record that the policy refuses: the conflict is left to people, and nothing is written", async () => {
    const decide = ({ next }: { next?: { priceCents: number } }) =>
      next?.priceCents === 1 ? { outcome: "rejected", code: "price", message: "No" } : { outcome: "applied" };
    const products = { scope: "tenant", allow, conflict: clientWins(), decide };
    const world = await ServerWorld.open({ products } as never);
    const b = world.till("b");
    await world.till("a").push(product("p-1"), edit("p-1", 0, { priceCents: 300 }));
    const before = await world.row("products", "p-1");
    expect(await b.send(edit("p-1", 0, { priceCents: 1 }))).toMatchObject({ status: "conflict" });
    expect(await world.row("products", "p-1")).toEqual(before);
    expect(await world.conflicts(true)).toEqual([]);
  });
  test("`manual`: the conflict is left to people without an error in the log", async () => {
    const { world, b } = await settledBy(() => "manual");
    expect(await b.send(edit("p-1", 1, { priceCents: 1 }))).toMatchObject({ status: "conflict" });
    expect(world.logged.filter(({ level }) => level === "error")).toEqual([]);
  });
  test("a failure: the conflict is left to people, and the operator reads whose resolver it was", async () => {
    const { world, b } = await settledBy(() => {
      throw new Error("bug 8");
    });
    expect(await b.send(edit("p-1", 1, { priceCents: 1 }))).toMatchObject({ status: "conflict" });
    expect(world.logged.filter(({ level }) => level === "error")).toMatchObject([
      { fields: { collection: "products", fault: expect.stringContaining("bug 8") } },
    ]);
  });
  test("what only the server fills in is not the resolver's to change", async () => {
    const decide = () => ({ outcome: "applied", assigned: { badge: "gold" } }) as const;
    const conflict = () => ({ id: "c-1", name: "Merged", badge: "none", points: 50 });
    const customers = { scope: "tenant", allow, conflict, decide };
    const world = await ServerWorld.open({ customers } as never, withBadges as never);
    const ann = { action: "create", collection: "customers", entityId: "c-1", data: { name: "Ann" } };
    await world.till("a").send(ann);
    const result = await world.till("b").send({ ...ann, data: { name: "Eve" } });
    expect(result).toMatchObject({ status: "applied", data: { name: "Merged", badge: "gold", points: 0 } });
  });
});
