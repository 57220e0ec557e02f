import { describe, expect, test } from "vitest";
import { revokeDevice } from "../../../src/server/admin/revoke-device.ts";
import type { Policies } from "../../../src/server/policy-types.ts";
import type { Shop } from "../support/shop.ts";
import { count, edit, payment, product, ServerWorld, sale } from "../support/world.ts";

const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

const shift = (id: string, branch: string, cashier: string) => ({
  action: "create",
  collection: "shifts",
  entityId: id,
  data: { branch, cashier },
});

const strict: Partial<Policies<Shop>> = {
  sales: {
    scope: "tenant",
    allow: { read: "everyone", create: "everyone" },
    decide: () => ({ outcome: "quarantined", code: "arithmetic", message: "no" }),
  },
};

describe("quarantine [H3]", () => {
  test("a release of a revoked device's edits judges them in few runs, however many they are", async () => {
    const world = await ServerWorld.open();
    const till = world.till("a");
    const made = await till.push(...times(250, (n) => product(`p-${n}`)));
    await revokeDevice({ store: world.store, tenant: "shop", device: "a" });
    const edits = await till.push(
      ...times(250, (n) => edit(`p-${n}`, 2 ** 52, { name: "Tea" }, { transaction: "t-1" })),
    );
    expect([...made, ...edits].map(({ status }) => status)).toEqual([
      ...times(250, () => "applied"),
      ...times(250, () => "quarantined"),
    ]);
    expect(await world.release(edits[0]!.id)).toMatchObject({ kind: "revised" });
    expect(await world.quarantined()).toEqual([]);
  });
  test("a release lets the whole transaction in, and the till hears of it by its results", async () => {
    const world = await ServerWorld.open(strict);
    const till = world.till();
    await till.pulled();
    const tx = { transaction: "t-1" };
    const sent = await till.push(sale("s-1", { totalCents: 5 }, tx), payment("y-1", "s-1", tx), count("p-1", -1, tx));
    expect(sent.every(({ status }) => status === "quarantined")).toBe(true);
    const released = await world.release(sent[1]!.id);
    expect(released).toMatchObject({
      kind: "revised",
      results: [{ status: "applied", revision: 1 }, { status: "applied" }, { status: "applied" }],
    });
    expect(await world.quarantined()).toEqual([]);
    const { results } = await till.pulled();
    expect(results.map(({ id, status, revision }) => [id, status, revision])).toEqual(
      sent.map(({ id }) => [id, "applied", 1]),
    );
    expect((await world.row("products", "p-1"))?.counters).toEqual({ stock: -1 });
    expect((await till.send(till.mint(sale("s-9")))).status).toBe("quarantined");
    expect(await world.release(sent[0]!.id)).toEqual({ kind: "not_quarantined" });
  });
  test("a policy hears that it was let in, and does all that it does for a sale", async () => {
    const world = await ServerWorld.open({
      sales: {
        scope: "tenant",
        allow: { read: "everyone", create: "everyone" },
        decide: ({ released }) => {
          const flag = { code: "arithmetic", message: "no" };
          if (released !== true) return { outcome: "quarantined", ...flag };
          const points = { collection: "customers", id: "c-1", increment: { points: 5 } } as const;
          return { outcome: "applied", assigned: { orderNumber: "A-1" }, flags: [flag], effects: [points] };
        },
      },
    });
    const sent = await world.till().send(sale("s-1"));
    expect(await world.release(sent.id)).toMatchObject({
      results: [{ status: "applied", assigned: { orderNumber: "A-1" }, flags: [{ code: "arithmetic" }] }],
    });
    expect((await world.row("customers", "c-1"))?.counters).toEqual({ points: 5 });
  });
  test("what a policy has against it all the same is a flag", async () => {
    const world = await ServerWorld.open(strict);
    const sent = await world.till().send(sale("s-1"));
    expect(await world.release(sent.id)).toMatchObject({
      results: [{ status: "applied", flags: [{ code: "arithmetic", message: "no" }] }],
    });
  });
  test("its first position never changes, so that marks that point at it stay good", async () => {
    const world = await ServerWorld.open(strict);
    const till = world.till();
    const sent = await till.send(sale("s-1"));
    const before = await world.operation(sent.id);
    await world.release(sent.id);
    const after = await world.operation(sent.id);
    expect(after?.position).toBe(before?.position);
    expect(after?.feedPosition).toBeGreaterThan(before?.position ?? 0);
    const clock = await world.clock();
    expect((await world.read({ kind: "commits", ids: [clock!.lastId] }))[0]).toMatchObject({
      kind: "release",
      actor: "boss",
      position: clock?.position,
    });
    expect((await till.pull()).kind).toBe("answered");
  });
  test("what the schema refuses no person can let in: nothing changes", async () => {
    const world = await ServerWorld.open();
    const sent = await world.till().send(sale("s-1", { totalCents: "x" }));
    const before = await world.clock();
    expect(await world.release(sent.id)).toMatchObject({ kind: "refused", issues: [{ path: "totalCents" }] });
    expect(await world.clock()).toEqual(before);
    expect(await world.quarantined()).toHaveLength(1);
  });
  test("a discard closes it and keeps the payload for ever", async () => {
    const world = await ServerWorld.open(strict);
    const till = world.till();
    const operation = till.mint(sale("s-1"));
    await till.send(operation);
    expect(await world.discard(operation.id, "a test")).toMatchObject({
      kind: "revised",
      results: [{ status: "quarantined", error: { code: "discarded", message: "a test" } }],
    });
    expect(await world.quarantined()).toEqual([]);
    expect((await world.operation(operation.id))?.operation).toMatchObject({ data: { totalCents: 500 } });
    expect(await till.send(operation)).toMatchObject({ error: { code: "discarded" }, replayed: true });
    expect(await world.discard(operation.id)).toEqual({ kind: "not_quarantined" });
    expect(await world.release("nope")).toEqual({ kind: "not_found" });
  });
  test("the others of its transaction are discarded with it: released alone they would be half of a sale [C1]", async () => {
    const world = await ServerWorld.open(strict);
    const till = world.till();
    const tx = { transaction: "t-1" };
    const [sold, paid] = await till.push(sale("s-1", { totalCents: 500 }, tx), payment("y-1", "s-1", tx));
    expect([sold?.status, paid?.status]).toEqual(["quarantined", "quarantined"]);
    const outcome = await world.discard(sold?.id ?? "", "a test");
    expect(outcome).toMatchObject({
      kind: "revised",
      touched: [
        { collection: "sales", scope: "" },
        { collection: "payments", scope: "" },
      ],
    });
    expect(await world.quarantined()).toEqual([]);
    expect(await world.release(paid?.id ?? "")).toEqual({ kind: "not_quarantined" });
  });
  test("a branch's office settles what its own tills made, and knows of nothing else (L9)", async () => {
    const world = await ServerWorld.open(strict);
    const north = await world.till("n", { branch: "north" }).send(sale("s-1", { totalCents: 5 }, { branch: "north" }));
    const south = await world.till("s", { branch: "south" }).send(sale("s-2", { totalCents: 5 }, { branch: "south" }));
    const before = await world.operation(north.id);
    world.officeBranch = "south";
    expect(await world.release(north.id)).toEqual({ kind: "not_found" });
    expect(await world.discard(north.id)).toEqual({ kind: "not_found" });
    expect(await world.operation(north.id)).toEqual(before);
    expect(await world.release(south.id)).toMatchObject({ kind: "revised" });
  });
  test("another device's transaction of the same name is not released with it", async () => {
    const world = await ServerWorld.open(strict);
    const tx = { transaction: "t-1" };
    const mine = await world.till("a").send(sale("s-1", { totalCents: 5 }, tx));
    const theirs = await world.till("b").send(sale("s-2", { totalCents: 5 }, tx));
    expect(await world.release(mine.id)).toMatchObject({ kind: "revised", results: [{ id: mine.id }] });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([theirs.id]);
  });
});

describe("who hears of a release or a discard", () => {
  test("the tills of the rows that it wrote, and those whose results it revised", async () => {
    const world = await ServerWorld.open(strict);
    const till = world.till("n", { branch: "north" });
    const sent = await till.send(sale("s-1"));
    expect(await world.release(sent.id)).toMatchObject({
      touched: [
        { collection: "sales", scope: "" },
        { collection: "sales", scope: "north" },
      ],
    });
  });
  test("nobody, of an operation without a readable collection", async () => {
    const world = await ServerWorld.open();
    const aside = await world.till().send({ ...count("p-1", 1), collection: "no name" });
    expect(aside).toMatchObject({ status: "quarantined" });
    expect(await world.discard(aside.id)).toMatchObject({ kind: "revised", touched: [] });
    const clock = await world.clock();
    expect(await world.read({ kind: "commits", ids: [clock?.lastId ?? ""] })).toMatchObject([
      { kind: "discard", actor: "boss", position: clock?.position },
    ]);
  });
});

describe("for whom an operation is released", () => {
  const till = async (branch: string | undefined, claimed: string) => {
    const world = await ServerWorld.open();
    const data = { branch: "north", cashier: "Ann" };
    const shift = { action: "create", collection: "shifts", entityId: "h-1", data, branch: claimed };
    const sent = await world.till("t", branch === undefined ? {} : { branch }).send(shift);
    expect(sent).toMatchObject({ status: "quarantined", error: { code: "branch_mismatch" } });
    return { world, id: sent.id };
  };
  test("for the branch that it was made in, and not into another", async () => {
    const { world, id } = await till("north", "south");
    expect(await world.release(id)).toMatchObject({ kind: "refused", issues: [{ path: id }] });
    expect(await world.row("shifts", "h-1")).toBeUndefined();
    const same = await till("south", "north");
    expect(await same.world.release(same.id)).toMatchObject({ kind: "revised" });
  });
  test("for the person who made it, as the policy and the next reader see it", async () => {
    const asked: unknown[] = [];
    const decide = ({ principal }: { principal: object }) => {
      asked.push(principal);
      return { outcome: "quarantined", code: "check", message: "Check" };
    };
    const world = await ServerWorld.open({
      sales: { scope: "tenant", allow: { read: "everyone", create: "everyone" }, decide },
    } as never);
    const sent = await world.till("t", { actor: "ann" }).send(sale("s-1", { totalCents: 1 }, { actor: "carl" }));
    await world.release(sent.id);
    expect(asked.at(-1)).toMatchObject({ device: "t", actor: "ann", tenant: "shop" });
  });
  test("for the branch of the office, if it was made for the whole shop (L9)", async () => {
    const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
    const decide = () => ({ outcome: "quarantined", code: "check", message: "Check" });
    const scope = { branch: (row: { branch: string }) => row.branch };
    const world = await ServerWorld.open({ shifts: { scope, allow, decide } } as never);
    const till = world.till("t");
    const [north, south] = await till.push(shift("h-1", "north", "Ann"), shift("h-2", "south", "Eve"));
    expect([north?.status, south?.status]).toEqual(["quarantined", "quarantined"]);
    world.officeBranch = "south";
    expect(await world.release(north?.id ?? "")).toMatchObject({ kind: "refused" });
    expect(await world.release(south?.id ?? "")).toMatchObject({
      kind: "revised",
      results: [{ status: "applied", revision: 1, at: world.now }],
    });
    world.officeBranch = undefined;
    expect(await world.release(north?.id ?? "")).toMatchObject({ kind: "revised" });
  });
  test("an edit whose row a restore has lost is refused with its state, until another till brings the row [C8.6]", async () => {
    const world = await ServerWorld.open();
    await world.mint("restored");
    const sent = await world.till("a", { branch: "north" }).send({ ...edit("p-9", 5, { name: "x" }), branch: "south" });
    expect(sent).toMatchObject({ status: "quarantined" });
    expect(await world.release(sent.id)).toEqual({ kind: "refused", issues: [{ path: sent.id, message: "blocked" }] });
  });
  test("one that still waits is refused with its state, and stays", async () => {
    const world = await ServerWorld.open();
    const sent = await world.till("a", { branch: "north" }).send({ ...sale("s-1"), branch: "south", schemaVersion: 9 });
    expect(await world.release(sent.id)).toMatchObject({
      kind: "refused",
      issues: [{ path: sent.id, message: expect.any(String) }],
    });
    expect(await world.quarantined()).toHaveLength(1);
  });
});
