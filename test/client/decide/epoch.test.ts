/**
 * A server that was restored from a backup: what the till sends to it again, and what the till's rows show in the
 * meantime [C8].
 */
import { describe, expect, test } from "vitest";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import {
  applied,
  blocked,
  conflict,
  create,
  type DecisionTill,
  increment,
  quarantined,
  rejected,
  sale,
  stockedTill,
  tea,
  update,
} from "../support/decision-till.ts";

const row = { ...tea, stock: 7 };
const till = () => stockedTill();
const again = (one: DecisionTill, operation: StoredOperation) => {
  const { state, resend: first, acknowledged } = one.flat(operation);
  return { state, again: first, acknowledged };
};

describe("goes back into the outbox [C8.4]", () => {
  test("what had been applied, with what the lost history had answered", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(applied(operation, 20, { assigned: { orderNumber: "9" }, receipt: "r1" }));
    one.follow("e2");
    expect(again(one, operation)).toEqual({
      state: "pending",
      again: true,
      acknowledged: { epoch: "e1", version: 20, assigned: { orderNumber: "9" }, receipt: "r1" },
    });
  });

  test("with what the last history had answered that did, however many were lost since [C8.5]", () => {
    const one = till();
    const [given, waiting] = [one.one(sale("s-1")), one.one(sale("s-2"))];
    one.answer(applied(given, 20, { receipt: "r1" }), applied(waiting, 21, { receipt: "r2" }));
    one.follow("e2");
    one.answer(applied(given, 30, { receipt: "r3" }));
    one.follow("e3");
    expect(again(one, given).acknowledged).toEqual({ epoch: "e2", version: 30, receipt: "r3" });
    expect(again(one, waiting).acknowledged).toEqual({ epoch: "e1", version: 21, receipt: "r2" });
  });

  test("without a receipt where the server gave none", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(applied(operation, 20));
    one.follow("e2");
    expect(again(one, operation).acknowledged).toEqual({ epoch: "e1", version: 20 });
  });

  test("without assigned values that would make it too large to send, which a server may not assign [M1]", () => {
    const one = till();
    const [large, small] = [one.one(sale("s-1")), one.one(sale("s-2"))];
    one.answer(applied(large, 20, { assigned: { orderNumber: "9".repeat(2_048) } }));
    one.answer(applied(small, 21, { assigned: { orderNumber: "9".repeat(2_030) } }));
    one.follow("e2");
    expect(again(one, large).acknowledged).toEqual({ epoch: "e1", version: 20 });
    expect(again(one, small).acknowledged?.assigned).toBeDefined();
  });

  test("with the schema in which a server assigned the values, where it said so [H7]", () => {
    const one = till();
    const [named, plain] = [one.one(sale("s-1")), one.one(sale("s-2"))];
    const assigned = { orderNumber: "9" };
    one.answer(applied(named, 20, { assigned, schemaVersion: 2 }), applied(plain, 21, { assigned }));
    one.follow("e2");
    expect(again(one, named).acknowledged).toEqual({ epoch: "e1", version: 20, assigned, schemaVersion: 2 });
    expect(again(one, plain).acknowledged).not.toHaveProperty("schemaVersion");
  });

  test("what gave an edit up, which has no version to come back at", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(conflict(edit, ["name"], { version: 20, data: { ...row, name: "B" } }));
    const given = [...one.operations.values()].find(({ action }) => action === "void");
    if (given === undefined) throw new Error("it was not given up");
    one.answer(applied(given, 21));
    one.follow("e2");
    expect(again(one, given)).toEqual({ state: "pending", again: true, acknowledged: undefined });
    expect(one.stored(given)).not.toHaveProperty("missingSince");
  });

  test("what only another's verdict has shown to be applied, without a version that nobody knows", () => {
    const one = till();
    const edit = one.one(update("customers", "c-1", { phone: "2" }));
    const workspace = one.open();
    workspace.put({ ...edit, status: { state: "superseded", supersededBy: "op-new", result: { at: 1 } } });
    workspace.put({ ...edit, id: "op-new", sequence: 50, supersedes: [edit.id] });
    one.commit(workspace);
    one.answer(rejected({ id: "op-new" }, "already_applied", { by: edit.id }));
    one.follow("e2");
    expect(again(one, edit)).toEqual({ state: "pending", again: true, acknowledged: undefined });
    expect(one.stored(edit)).not.toHaveProperty("missingSince");
  });

  test("what was quarantined, as it was", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(quarantined(operation));
    one.follow("e2");
    expect(again(one, operation)).toEqual({ state: "pending", again: true, acknowledged: undefined });
  });

  test("what lay in conflict: it is judged anew", () => {
    const one = till();
    const edit = one.one(update("customers", "c-1", { phone: "2" }));
    one.answer(conflict(edit, ["phone"], { version: 20, data: { name: "Ann", phone: "9", points: 0 } }));
    one.follow("e2");
    expect(again(one, edit)).toEqual({ state: "pending", again: true, acknowledged: undefined });
  });

  test("what somebody else had settled: that settlement is lost [C8.8]", () => {
    const one = till();
    const edit = one.one(update("customers", "c-1", { phone: "2" }));
    one.answer(rejected(edit, "superseded", { by: "office" }));
    one.follow("e2");
    expect(again(one, edit)).toEqual({ state: "pending", again: true, acknowledged: undefined });
  });

  test("what the server had kept because its id was taken: what it kept is lost [H8]", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(rejected(operation, "operation_id_reused"));
    one.follow("e2");
    expect(again(one, operation)).toEqual({ state: "pending", again: true, acknowledged: undefined });
  });
});

describe("does not go back", () => {
  test("what was rejected: nothing of it was ever stored", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(rejected(edit, "not_permitted"));
    one.follow("e2");
    expect(one.state(edit)).toBe("rejected");
  });

  test("what was superseded here: its successor names it", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(conflict(edit, ["name"], { version: 20, data: { ...row, name: "B" } }));
    one.follow("e2");
    expect(one.state(edit)).toBe("superseded");
  });

  test("what waits anyway, which is nothing to give back", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.follow("e2");
    expect(again(one, operation)).toEqual({ state: "pending", again: undefined, acknowledged: undefined });
  });
});

test("what was blocked by the lost history waits no more", () => {
  const one = till();
  const edit = one.one(update("products", "p-1", { name: "A" }));
  one.answer(blocked(edit, { id: "lost" }));
  one.follow("e2");
  const { state, blockedBy, blockedInRound } = one.flat(edit);
  expect({ state, blockedBy, blockedInRound }).toEqual({
    state: "pending",
    blockedBy: undefined,
    blockedInRound: undefined,
  });
});

test("what was blocked is sent before what is new only if a history had lost it", () => {
  const one = till();
  const [lost, other] = [one.one(sale("s-1")), one.one(sale("s-2"))];
  one.answer(applied(lost, 20));
  one.follow("e2");
  one.answer(blocked(lost), blocked(other));
  one.follow("e3");
  expect([again(one, lost), again(one, other)]).toMatchObject([
    { state: "pending", again: true },
    { state: "pending", again: undefined },
  ]);
  expect(one.stored(other).status).toStrictEqual({ state: "pending" });
});

test("nothing of the lost history's verdict stays on an operation", () => {
  const one = till();
  const operation = one.one(sale("s-1"));
  one.answer(quarantined(operation, "shift_closed", { revision: 3 }));
  one.follow("e2");
  for (const member of ["error", "revision", "resultAt", "version", "epoch"])
    expect(one.flat(operation)).not.toHaveProperty(member);
});

test("the point has no marks any more, and every collection is pulled from the start", () => {
  const one = till();
  one.point = { ...one.point, marks: { push: "m1", pull: "m2" } };
  one.follow("e2");
  expect(one.point).toMatchObject({ epoch: "e2", marks: {} });
  expect([...one.cursors.values()].map(({ cursor }) => cursor)).toEqual([null, null, null, null]);
});

test("a second restore before the first was made good keeps what the first history had answered", () => {
  const one = till();
  const operation = one.one(sale("s-1"));
  one.answer(applied(operation, 20));
  one.follow("e2");
  one.follow("e3");
  expect(again(one, operation).acknowledged).toEqual({ epoch: "e1", version: 20 });
});

describe("the view", () => {
  test("does not count an acknowledged increment twice over the base that has it [C8.6]", () => {
    const one = till();
    const step = one.one(increment("products", "p-1", { stock: -2 }));
    one.answer(applied(step, 20, { data: { ...row, stock: 5 } }));
    one.follow("e2");
    expect(one.view("products", "p-1")).toMatchObject({ stock: 5 });
  });

  test("counts it over the restored server's base, which does not have it", () => {
    const one = till();
    const step = one.one(increment("products", "p-1", { stock: -2 }));
    one.answer(applied(step, 20, { data: { ...row, stock: 5 } }));
    one.follow("e2");
    one.pull("products", { id: "p-1", version: 5, data: row });
    expect(one.view("products", "p-1")).toMatchObject({ stock: 5 });
  });

  test("is right again when it has been taken in", () => {
    const one = till();
    const step = one.one(increment("products", "p-1", { stock: -2 }));
    one.answer(applied(step, 20, { data: { ...row, stock: 5 } }));
    one.follow("e2");
    one.pull("products", { id: "p-1", version: 5, data: row });
    one.answer(applied(step, 5_000, { data: { ...row, stock: 5 } }));
    expect(one.row("products", "p-1")).toMatchObject({ version: 5_000, data: { ...row, stock: 5 } });
  });

  test("is right where it is taken in before the row was pulled", () => {
    const one = till();
    const step = one.one(increment("products", "p-1", { stock: -2 }));
    one.answer(applied(step, 20, { data: { ...row, stock: 5 } }));
    one.follow("e2");
    one.answer(applied(step, 5_000, { data: { ...row, stock: 5 } }));
    one.pull("products", { id: "p-1", version: 5_000, data: { ...row, stock: 5 } });
    expect(one.view("products", "p-1")).toEqual({ ...row, stock: 5 });
  });

  test("keeps a sale that the restored server has lost, with its assigned fields", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(applied(operation, 20, { assigned: { orderNumber: "9" } }));
    one.follow("e2");
    expect(one.view("sales", "s-1")).toMatchObject({ orderNumber: "9" });
    one.answer(applied(operation, 5_000, { assigned: { orderNumber: "9" } }));
    expect(one.row("sales", "s-1")).toMatchObject({ version: 5_000, data: { orderNumber: "9" } });
  });

  test("keeps new work on top of the old base, and on top of the new one", () => {
    const one = till();
    one.answer(applied(one.one(increment("products", "p-1", { stock: -2 })), 20, { data: { ...row, stock: 5 } }));
    one.one(increment("products", "p-1", { stock: -1 }));
    one.follow("e2");
    expect(one.view("products", "p-1")).toMatchObject({ stock: 4 });
    one.pull("products", { id: "p-1", version: 5, data: row });
    expect(one.view("products", "p-1")).toMatchObject({ stock: 4 });
  });

  test("shows a row that this till created as soon as the restored server's absence of it is known", () => {
    const one = till();
    const [made] = one.write([create("products", "p-2", { ...tea, stock: 0 })]);
    if (made) one.answer(applied(made, 20));
    one.follow("e2");
    one.pull("products", { id: "p-2", version: 4, deleted: true });
    expect(one.view("products", "p-2")).toEqual({ ...tea, stock: 0 });
  });
});

describe("what a lost history had acknowledged, over a base that was pulled since,", () => {
  const pulledAgain = () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    const step = one.one(increment("products", "p-1", { stock: -2 }));
    one.answer(applied(edit, 20), applied(step, 21, { data: { ...row, name: "A", stock: 5 } }));
    one.follow("e2");
    one.pull("products", { id: "p-1", version: 1_000, data: row });
    return { one, edit, step };
  };
  const shown = (one: DecisionTill) => {
    const { edits, delta, data } = one.row("products", "p-1") ?? {};
    return { edits, delta, name: data?.name, stock: data?.stock };
  };
  const onTop = { edits: 1, delta: { stock: -2 }, name: "A", stock: 5 };

  test("lies on top of it still when another resync begins", () => {
    const { one } = pulledAgain();
    one.resync("products");
    one.one(increment("products", "p-1", { stock: -1 }));
    expect(shown(one)).toEqual({ ...onTop, delta: { stock: -3 }, stock: 4 });
  });

  test("and leaves it when it has been taken in, whatever resync has begun since", () => {
    const { one, edit, step } = pulledAgain();
    one.resync("products");
    one.answer(applied(edit, 2_000), applied(step, 2_001, { data: { ...row, name: "A", stock: 5 } }));
    expect(shown(one)).toEqual({ edits: undefined, delta: undefined, name: "A", stock: 5 });
  });

  test("and when the server is restored a second time", () => {
    const { one, step } = pulledAgain();
    one.answer(applied(step, 1_001, { data: { ...row, stock: 5 } }));
    one.follow("e3");
    expect(shown(one)).toEqual({ ...onTop, delta: undefined });
    one.pull("products", { id: "p-1", version: 2_000, data: row });
    expect(shown(one)).toEqual(onTop);
  });
});

test("it says how many operations are given back", () => {
  const one = till();
  const first = one.one(sale("s-1"));
  const second = one.one(sale("s-2"));
  one.one(sale("s-3"));
  one.answer(applied(first, 20), quarantined(second));
  expect(one.follow("e2")).toBe(2);
});
