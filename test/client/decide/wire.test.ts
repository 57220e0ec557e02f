/** A stored operation in its wire form: the members that the protocol names, and nothing else. */
import { describe, expect, test } from "vitest";
import { toWire } from "../../../src/client/decide/wire.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import { parseOperation } from "../../../src/protocol/operation.ts";
import { create, DecisionTill, increment, NOW, remove, sale, tea, update } from "../support/decision-till.ts";

const ID = "0198a3b2-0000-7000-8000-000000000001";
const OTHER = "0198a3b2-0000-7000-8000-000000000002";
const till = () => {
  const one = new DecisionTill();
  one.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 7 } });
  return one;
};
const made = {
  "a create": till().one(create("products", "p-2", tea)),
  "a fact": till().one(sale("s-1")),
  "an update": till().one(update("products", "p-1", { name: "A" })),
  "an increment": till().one(increment("products", "p-1", { stock: -1 })),
  "a delete": till().one(remove("products", "p-1")),
  "a void": { ...till().one(remove("products", "p-1")), action: "void", supersedes: [OTHER] } as StoredOperation,
};
const wire = (operation: StoredOperation, after: readonly string[] = []) =>
  toWire({ operation: { ...operation, id: ID }, after });

for (const [name, operation] of Object.entries(made))
  test(`${name} is what the protocol takes`, () => {
    const { baseVersion: _, ...rest } = operation;
    const parsed = parseOperation(JSON.parse(JSON.stringify(wire(operation.action === "void" ? rest : operation))));
    expect(parsed).toEqual({ ok: true, value: expect.objectContaining({ id: ID, action: operation.action }) });
  });

test("what stays on the till is not in it", () => {
  const operation = { ...made["an update"], note: "why", attempts: 3, blockedBy: [OTHER], before: { name: "Tea" } };
  const names = Object.keys(wire(operation));
  for (const own of [
    "note",
    "attempts",
    "blockedBy",
    "before",
    "rank",
    "lane",
    "bytes",
    "state",
    "references",
    "kind",
    "group",
  ])
    expect(names).not.toContain(own);
});

test("the bound transaction is in it, not the local one", () => {
  expect(wire(made["an update"])).not.toHaveProperty("transaction");
  expect(wire({ ...made["an update"], group: "t-1-e" })).toMatchObject({ transaction: "t-1-e" });
});

test("`after` is what was found when it was sent", () => {
  expect(wire(made["an update"], [OTHER])).toMatchObject({ after: [OTHER] });
  expect(wire(made["an update"])).not.toHaveProperty("after");
});

test("who made it and in which branch are in it, where they are known", () => {
  const { branch, actor, ...unknown } = made["an update"];
  expect(wire({ ...unknown, branch, actor })).toMatchObject({ branch: "main", actor: "u-7" });
  expect(Object.keys(wire(unknown))).not.toContain("branch");
  expect(Object.keys(wire(unknown))).not.toContain("actor");
});

test.each(["an update", "a delete"] as const)("%s that overwrites newer writes says so, and no other does", (name) => {
  expect(wire({ ...made[name], force: true })).toMatchObject({ force: true });
  expect(wire({ ...made[name], force: undefined })).not.toHaveProperty("force");
});

test("the moment is RFC 3339 in UTC", () => {
  expect(wire(made["a fact"]).occurredAt).toBe(new Date(NOW).toISOString());
});

test("an update without removed fields names none", () => {
  expect(wire({ ...made["an update"], unset: undefined })).not.toHaveProperty("unset");
  expect(wire({ ...made["an update"], unset: [] })).not.toHaveProperty("unset");
  expect(wire({ ...made["an update"], unset: ["note"] })).toMatchObject({ unset: ["note"] });
});

test("a create's zeros stay here: counters never travel in a create [H4]", () => {
  const one = till().write([create("products", "p-2", { ...tea, stock: 0 })])[0];
  expect(one && wire(one)).toMatchObject({ data: tea });
});

describe("what the lost history had acknowledged", () => {
  test("goes along", () => {
    const acknowledged = { epoch: "e1", version: 20, assigned: { orderNumber: "9" }, receipt: "r1" };
    expect(wire({ ...made["a fact"], acknowledged })).toMatchObject({ acknowledged });
  });
});
