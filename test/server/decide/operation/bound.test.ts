import { describe, expect, test } from "vitest";
import { count, payment, ServerWorld, sale } from "../../support/world.ts";

const tx = { transaction: "t-1" };

/** A sale that no schema takes, and its payment. Both are set aside. */
async function setAside() {
  const decide = () => ({ outcome: "quarantined", code: "check", message: "People check each" }) as const;
  const world = await ServerWorld.open({
    sales: { scope: "tenant", allow: { read: "everyone", create: "everyone" }, decide },
  });
  const till = world.till("a");
  const [sold, payed] = await till.push(sale("s-1", { totalCents: "x" }, tx), payment("y-1", "s-1", tx));
  return { world, till, sold: sold?.id ?? "", payed: payed?.id ?? "" };
}
/** A correction that is set aside too, because the policy sets every sale aside. */
const correction = (supersedes: readonly string[]) => sale("s-1", { totalCents: 5 }, { supersedes });

const released = async (world: ServerWorld, id: string) => {
  const outcome = await world.release(id);
  return outcome.kind === "revised" ? outcome.results.map((result) => [result.id, result.status]) : outcome;
};

describe("what is released together [C1]", () => {
  test.each(["the correction", "the payment"])(
    "a correction and the payment of the sale that it corrects, by %s",
    async (by) => {
      const { world, till, sold, payed } = await setAside();
      const corrected = await till.send(correction([sold]));
      expect(corrected).toMatchObject({ status: "quarantined", error: { code: "check" } });
      // The sale first, though its correction arrived after the payment.
      expect(await released(world, by === "the payment" ? payed : corrected.id)).toEqual([
        [corrected.id, "applied"],
        [payed, "applied"],
      ]);
      expect(await world.quarantined()).toEqual([]);
      expect((await world.row("sales", "s-1"))?.data).toMatchObject({ totalCents: 5 });
    },
  );
  test("the last of several corrections, and none of those before it", async () => {
    const { world, till, sold, payed } = await setAside();
    const second = await till.send(sale("s-1", { totalCents: "y" }, { supersedes: [sold] }));
    expect(second).toMatchObject({ status: "quarantined", error: { code: "validation_failed" } });
    const third = await till.send(correction([sold, second.id]));
    expect(await released(world, payed)).toEqual([
      [third.id, "applied"],
      [payed, "applied"],
    ]);
    expect((await world.operation(second.id))?.supersededBy).toBe(third.id);
  });
  test("not a sale that was replaced: the payment waits for the correction, and both are refused with its reason", async () => {
    const { world, till, sold, payed } = await setAside();
    const second = await till.send(sale("s-1", { totalCents: "y" }, { supersedes: [sold] }));
    expect(await world.release(payed)).toMatchObject({ kind: "refused", issues: [{ path: "totalCents" }] });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([payed, second.id]);
  });
  test("not what else came under the name of a transaction, beyond the first 500", async () => {
    const { world, till } = await setAside();
    const many = { transaction: "t-many" };
    const sent: string[] = [];
    for (let at = 0; at < 600; at += 200) {
      const sales = Array.from({ length: 200 }, (_, n) => sale(`m-${at + n}`, { totalCents: 5 }, many));
      sent.push(...(await till.push(...sales)).map(({ id }) => id));
    }
    const [beyond = "", another = ""] = sent.slice(500);
    expect(await released(world, beyond)).toEqual([[beyond, "applied"]]);
    expect(await world.discard(another, "no")).toMatchObject({ results: [{ id: another }] });
    expect(await released(world, sent[3] ?? "")).toHaveLength(500);
  });
  test("not a member that was applied by then: it counts once", async () => {
    const { world, till } = await setAside();
    const two = { transaction: "t-2" };
    const sold = await till.send(sale("s-2", { totalCents: 5 }, two));
    expect(await till.send(count("p-1", -1, two))).toMatchObject({ status: "applied" });
    expect(await released(world, sold.id)).toEqual([[sold.id, "applied"]]);
    expect((await world.row("products", "p-1"))?.counters).toEqual({ stock: -1 });
  });
  test("a correction that its till might not send, and the payment of the sale that it would replace", async () => {
    const world = await ServerWorld.open();
    const till = world.till("a", { branch: "north" });
    const south = { branch: "south" };
    const sent = await till.push(
      sale("s-1", { totalCents: 1 }, { ...tx, ...south }),
      payment("y-1", "s-1", { ...tx, ...south }),
    );
    const [sold, payed] = sent.map(({ id }) => id);
    const corrected = await till.send(sale("s-1", { totalCents: 5 }, { ...south, supersedes: [sold] }));
    expect(corrected).toMatchObject({ status: "quarantined", error: { code: "branch_mismatch" } });
    expect((await world.operation(sold ?? ""))?.supersededBy).toBeUndefined();
    expect(await released(world, corrected.id)).toEqual([
      [corrected.id, "applied"],
      [payed, "applied"],
    ]);
    expect((await world.operation(sold ?? ""))?.supersededBy).toBe(corrected.id);
  });
  test("not the payment of another sale, and nothing that was never set aside", async () => {
    const { world, till, sold, payed } = await setAside();
    const other = await till.send(sale("s-2", { totalCents: 1 }));
    const booked = await till.send(payment("y-3", "s-3"));
    expect(await released(world, other.id)).toEqual([[other.id, "applied"]]);
    expect(await world.operation(booked.id)).toMatchObject({ revision: 0 });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([sold, payed]);
  });
});

describe("a malformed operation that names anything in `supersedes`", () => {
  test.each<[string, unknown]>([
    ["a text", "s-1"],
    ["numbers", [5, null]],
  ])("%s: it is released or refused like any other", async (_what, supersedes) => {
    const { world, till, sold } = await setAside();
    const bad = await till.send({ ...sale("s-9", { totalCents: 5 }), supersedes });
    expect(bad).toMatchObject({ status: "quarantined", error: { code: "malformed" } });
    expect(await world.release(bad.id)).toMatchObject({ kind: "refused" });
    expect(await world.discard(bad.id)).toMatchObject({ kind: "revised", results: [{ id: bad.id }] });
    expect((await world.quarantined()).map(({ id }) => id)).toContain(sold);
  });
});
