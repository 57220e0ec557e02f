import { describe, expect, test } from "vitest";
import { count, payment, ServerWorld, sale, Till } from "../../support/world.ts";

const tx = { transaction: "t-1" };
const allow = { read: "everyone", create: "everyone" } as const;
const voiding = (collection: string, entityId: string, id: string) => ({
  action: "void",
  collection,
  entityId,
  supersedes: [id],
});

/** A sale that no schema takes, with its payment and a step of the stock: all of them are set aside. */
async function setAside(paid: object = {}) {
  const world = await ServerWorld.open();
  const till = world.till("a");
  const sent = await till.push(
    sale("s-1", { totalCents: "x" }, tx),
    payment("y-1", "s-1", { ...tx, ...paid }),
    count("p-1", -1, tx),
  );
  expect(sent.every(({ status }) => status === "quarantined")).toBe(true);
  const [sold, payed, counted] = sent.map(({ id }) => id) as [string, string, string];
  return { world, till, sold, payed, counted };
}

async function lastCommit(world: ServerWorld) {
  const { lastId, position } = (await world.clock())!;
  const [commit] = await world.read({ kind: "commits", ids: [lastId] });
  return { ...commit, isLast: commit?.position === position };
}

describe("a correction of a sale that is set aside [C1]", () => {
  test("is applied together with its payment and its step, whose device hears of it", async () => {
    const { world, till, sold, payed, counted } = await setAside();
    await till.pulled();
    const clerk = world.till("b", { actor: "bob", scopes: ["sync:desk"] });
    const good = await clerk.send(sale("s-1", { totalCents: 5 }, { supersedes: [sold] }));
    expect(good).toMatchObject({ status: "applied" });
    expect(await world.quarantined()).toEqual([]);
    expect((await world.row("products", "p-1"))?.counters).toEqual({ stock: -1 });
    expect(await world.operation(payed)).toMatchObject({
      status: "applied",
      version: await world.version("payments", "y-1"),
      revision: 1,
      result: { id: payed, status: "applied", revision: 1, at: expect.any(Number) },
    });
    expect((await till.pulled()).results.map(({ id, status }) => [id, status])).toEqual([
      [sold, "rejected"],
      [payed, "applied"],
      [counted, "applied"],
    ]);
    expect(await lastCommit(world)).toMatchObject({ kind: "release", id: good.id, actor: "bob", isLast: true });
  });
  test("waits in quarantine with the payment, if that can't be applied either", async () => {
    const { world, till, sold, payed, counted } = await setAside({ data: { saleId: 5 } });
    const good = await till.send(sale("s-1", { totalCents: 5 }, { supersedes: [sold] }));
    expect(good).toMatchObject({
      status: "quarantined",
      error: { code: "transaction_quarantined", message: expect.stringContaining(payed) },
    });
    expect(await world.row("sales", "s-1")).toBeUndefined();
    expect(await world.row("products", "p-1")).toBeUndefined();
    expect((await world.quarantined()).map(({ id }) => id).sort()).toEqual([payed, counted, good.id].sort());
  });
  test("leaves the step as what its own till sent: the policy is asked about that device and person", async () => {
    const asked: unknown[] = [];
    const decide = ({ principal, operation }: { principal: object; operation: object }) => {
      asked.push({ principal, operation });
      return { outcome: "applied" } as const;
    };
    const world = await ServerWorld.open({ payments: { scope: "tenant", allow, decide } } as never);
    const till = world.till("a", { actor: "ann" });
    const [sold] = await till.push(
      sale("s-1", { totalCents: "x" }, tx),
      payment("y-1", "s-1", { ...tx, actor: "carl" }),
    );
    asked.length = 0;
    const clerk = world.till("b", { actor: "bob", scopes: ["sync:desk"] });
    await clerk.send(sale("s-1", { totalCents: 5 }, { supersedes: [sold?.id] }));
    expect(asked.at(-1)).toMatchObject({
      principal: { device: "a", actor: "ann" },
      operation: { entityId: "y-1", actor: "carl" },
    });
  });
  test("of which the payment is refused by its policy: nothing of both is written", async () => {
    const decide = () => ({ outcome: "quarantined", code: "later", message: "Later" }) as const;
    const world = await ServerWorld.open({ payments: { scope: "tenant", allow, decide } } as never);
    const till = world.till();
    const [sold] = await till.push(sale("s-1", { totalCents: "x" }, tx), payment("y-1", "s-1", tx));
    const good = await till.send(sale("s-1", { totalCents: 5 }, { supersedes: [sold?.id] }));
    expect(good).toMatchObject({ status: "quarantined", error: { code: "transaction_quarantined" } });
    expect(await world.row("sales", "s-1")).toBeUndefined();
  });
});

describe("what settles a transaction that is set aside, in a transaction of its own", () => {
  const own = { transaction: "t-2" };

  test("a correction beside the void of a step: the payment is applied, and the step never [C3]", async () => {
    const { world, till, sold, payed, counted } = await setAside();
    const results = await till.push(sale("s-1", { totalCents: 5 }, { ...own, supersedes: [sold] }), {
      ...voiding("products", "p-1", counted),
      ...own,
    });
    expect(results.map(({ status }) => status)).toEqual(["applied", "applied"]);
    expect((await world.operation(payed))?.status).toBe("applied");
    expect(await world.operation(counted)).toMatchObject({ status: "rejected", supersededBy: results[1]?.id });
    expect(await world.row("products", "p-1")).toBeUndefined();
    expect(await world.quarantined()).toEqual([]);
  });
  test("a void of the sale beside the void of its step: each is closed by its own", async () => {
    const { world, till, sold, payed, counted } = await setAside();
    const [, undo] = await till.push(
      { ...voiding("sales", "s-1", sold), ...own },
      { ...voiding("products", "p-1", counted), ...own },
    );
    expect(await world.operation(counted)).toMatchObject({ status: "rejected", supersededBy: undo?.id, revision: 1 });
    expect(await world.operation(payed)).toMatchObject({ result: { error: { code: "discarded" } } });
  });
  test("a void of the sale beside another sale: its payment is given up, and never booked without it", async () => {
    const { world, till, sold, payed } = await setAside();
    const results = await till.push({ ...voiding("sales", "s-1", sold), ...own }, sale("s-2", { totalCents: 5 }, own));
    expect(results.map(({ status }) => status)).toEqual(["applied", "applied"]);
    expect(await world.operation(payed)).toMatchObject({ result: { error: { code: "discarded" } } });
    expect(await world.row("payments", "y-1")).toBeUndefined();
  });
});

describe("a void of what is set aside", () => {
  test("of the sale gives up its payment and its step with it", async () => {
    const { world, till, sold, payed, counted } = await setAside();
    const undo = await till.send(voiding("sales", "s-1", sold));
    expect(undo).toMatchObject({ status: "applied" });
    expect(await world.quarantined()).toEqual([]);
    for (const id of [payed, counted]) {
      expect(await world.operation(id)).toMatchObject({
        status: "quarantined",
        version: 0,
        revision: 1,
        result: { id, status: "quarantined", error: { code: "discarded" }, revision: 1, at: expect.any(Number) },
      });
      expect(await world.release(id)).toEqual({ kind: "not_quarantined" });
    }
    expect(await lastCommit(world)).toMatchObject({ kind: "discard", id: undo.id, isLast: true });
  });
  test("of the step gives up nothing else, and books nothing: the sale waits for people", async () => {
    const { world, till, sold, payed, counted } = await setAside();
    expect(await till.send(voiding("products", "p-1", counted))).toMatchObject({ status: "applied" });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([sold, payed]);
    expect(await world.operation(payed)).toMatchObject({ status: "quarantined", revision: 0 });
  });
  test("that is refused gives up nothing", async () => {
    const world = await ServerWorld.open({ sales: { scope: "tenant", allow: { read: "everyone", create: "sell" } } });
    const till = world.till("a", { scopes: ["sell"] });
    const [sold, payed] = await till.push(sale("s-1", { totalCents: "x" }, tx), payment("y-1", "s-1", tx));
    expect(await world.till("b").send(voiding("sales", "s-1", sold?.id ?? ""))).toMatchObject({ status: "rejected" });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([sold?.id, payed?.id]);
  });
  test("of a sale that stands alone gives up only that, and makes no entry of its own", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const sold = await till.send(sale("s-1", { totalCents: "x" }));
    const undo = await till.send(voiding("sales", "s-1", sold.id));
    expect(await world.read({ kind: "commits", ids: [undo.id] })).toEqual([]);
    expect((await world.clock())?.lastId).toBe(undo.id);
  });
});

describe("a payment that is given up", () => {
  /** Two people at one till, and both their members of one transaction are set aside. */
  async function setAsideByTwo(bob: { scopes: readonly string[] } = { scopes: [] }) {
    const world = await ServerWorld.open();
    const ann = new Till(world, "a", { actor: "ann" });
    const other = new Till(world, "a", { actor: "bob", incarnation: "inc-b", ...bob });
    const sold = await ann.send(sale("s-1", { totalCents: "x" }, tx));
    const payed = await other.send(payment("y-1", "s-1", { ...tx, data: { amountCents: "x" } }));
    return { world, other, sold, payed };
  }

  test("does not take the sale of another person off the desk", async () => {
    const { world, other, sold, payed } = await setAsideByTwo();
    const result = await other.send(voiding("payments", "y-1", payed.id));
    expect(result).toMatchObject({ status: "rejected", error: { code: "not_permitted" } });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([sold.id, payed.id]);
  });
  test("takes it along for those who decide at the desk", async () => {
    const { world, other, payed } = await setAsideByTwo({ scopes: ["sync:desk"] });
    expect(await other.send(voiding("payments", "y-1", payed.id))).toMatchObject({ status: "applied" });
    expect(await world.quarantined()).toEqual([]);
  });
  test("writes once what it takes along, however many members are given up after it", async () => {
    const { till, world, sold, payed, counted } = await setAside();
    await till.send(voiding("payments", "y-1", payed));
    const before = [await world.operation(sold), await world.operation(counted)];
    expect(before.map((row) => row?.revision)).toEqual([1, 1]);
    await till.send(voiding("sales", "s-1", sold));
    expect((await world.operation(counted))?.revision).toBe(1);
  });
});
