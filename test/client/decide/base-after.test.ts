/** The base of a row after an own operation was applied to it, where the result does not simply bring the row. */
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { generationOf } from "../../../src/client/state/meta.ts";
import type { UpcastFunction } from "../../../src/schema/types.ts";
import { applied, create, DecisionTill, increment, remove, sale, tea, update } from "../support/decision-till.ts";

const row = { ...tea, stock: 7 };
const till = () => {
  const one = new DecisionTill();
  one.pull("products", { id: "p-1", version: 10, data: row });
  return one;
};

describe("a result without the row", () => {
  test("of a delete leaves no row, and none that an older answer could bring back", () => {
    const one = till();
    one.answer(applied(one.one(remove("products", "p-1")), 20));
    one.pull("products", { id: "p-1", version: 19, data: row });
    expect(one.row("products", "p-1")?.version).toBe(20);
    expect(one.view("products", "p-1")).toBeUndefined();
  });

  test("of an increment says what is counted here, and leaves the row to the pull", () => {
    const one = till();
    one.answer(applied(one.one(increment("products", "p-1", { stock: -2 })), 20));
    expect(one.row("products", "p-1")?.version).toBe(10);
    one.pull("products", { id: "p-1", version: 20, data: { ...row, stock: 4 } });
    expect(one.view("products", "p-1")).toMatchObject({ stock: 4 });
  });

  test("that says that the row is deleted deletes it, whatever the operation was", () => {
    const one = till();
    one.answer(applied(one.one(increment("products", "p-1", { stock: -2 })), 20, { deleted: true }));
    expect(one.view("products", "p-1")).toBeUndefined();
    one.pull("products", { id: "p-1", version: 19, data: row });
    expect(one.view("products", "p-1")).toBeUndefined();
  });

  test("is the row as this till made it: no other answer with this version is needed", () => {
    const one = till();
    one.answer(applied(one.one(create("customers", "c-1", { name: "Ann", phone: null, points: 0 })), 20));
    expect(one.row("customers", "c-1")).not.toHaveProperty("guessed");
  });
});

describe("a result that left out the row for its size", () => {
  test("counts the edit on the row that is here, under the version that it has: others may have written since", () => {
    const one = till();
    one.answer(applied(one.one(update("products", "p-1", { name: "A" })), 20, { omitted: true }));
    expect(one.row("products", "p-1")?.version).toBe(10);
    expect(one.view("products", "p-1")).toMatchObject({ name: "A" });
    const server = { ...row, name: "A", category: "hot" };
    one.pull("products", { id: "p-1", version: 20, data: server });
    expect(one.view("products", "p-1")).toEqual(server);
  });

  test("is not taken for the row that a create has made", () => {
    const one = till();
    const made = { name: "Ann", phone: null, points: 0 };
    one.answer(applied(one.one(create("customers", "c-1", made)), 20, { omitted: true }));
    expect(one.row("customers", "c-1")).toMatchObject({ guessed: true });
    one.pull("customers", { id: "c-1", version: 20, data: { ...made, phone: "1" } });
    expect(one.view("customers", "c-1")).toMatchObject({ phone: "1" });
  });
});

describe("a result without the row, of what a lost history had acknowledged [C8.5]", () => {
  test("leaves an edit to the pull: others may have come in between, though the base is the edit's own", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(applied(edit, 20));
    one.follow("e2");
    one.pull("products", { id: "p-1", version: 10, data: row });
    // Another till's edit, of which this one has not heard, was put back before.
    one.answer(applied(edit, 40));
    const server = { ...row, name: "A", category: "hot" };
    one.pull("products", { id: "p-1", version: 40, data: server });
    expect(one.view("products", "p-1")).toEqual(server);
  });

  test("is enough for a fact, which nobody else changes: no sweep takes the sale away [H10]", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(applied(operation, 20));
    one.follow("e2");
    one.answer(applied(operation, 20));
    expect(one.row("sales", "s-1")?.generation).toBe(generationOf(one.point, "sales"));
    expect(one.view("sales", "s-1")).toMatchObject({ totalCents: 5_000 });
  });
});

describe("a row that is ahead of the results that the till has [C6]", () => {
  const ahead = (one: DecisionTill, ...results: Parameters<DecisionTill["receive"]>[0]) =>
    one.receive(results, {}, true);

  test("is not taken: what is still open is not counted twice", () => {
    const one = till();
    const [first, second] = [-2, -1].map((stock) => one.one(increment("products", "p-1", { stock })));
    if (first) ahead(one, applied(first, 20, { data: { ...row, stock: 4 } }));
    expect(one.view("products", "p-1")).toMatchObject({ stock: 4 });
    if (second) one.answer(applied(second, 21, { data: { ...row, stock: 4 } }));
    expect(one.view("products", "p-1")).toMatchObject({ stock: 4 });
  });

  test("adds nothing to a base that a pull has brought in the meantime", () => {
    const one = till();
    const step = one.one(increment("products", "p-1", { stock: -2 }));
    one.pull("products", { id: "p-1", version: 20, data: { ...row, stock: 5 } });
    ahead(one, applied(step, 20, { data: { ...row, stock: 5 } }));
    expect(one.view("products", "p-1")).toMatchObject({ stock: 5 });
  });

  test("leaves a row alone that a pull has taken away", () => {
    const one = till();
    const step = one.one(increment("products", "p-1", { stock: -2 }));
    one.pull("products", { id: "p-1", version: 19, deleted: true });
    ahead(one, applied(step, 20, { data: { ...row, stock: 5 } }));
    expect(one.view("products", "p-1")).toBeUndefined();
  });
});

describe("a result that is older than what is in the base without its row [C6]", () => {
  const ann = { name: "Ann", phone: null, points: 0 };
  const withAnn = () => {
    const one = new DecisionTill();
    one.pull("customers", { id: "c-1", version: 10, data: ann });
    return one;
  };
  /** A step that is judged after an earlier operation on the row, and heard of before it: with a row that can't be taken. */
  const stepped = (one: DecisionTill, version = 21) => {
    const step = one.one(increment("customers", "c-1", { points: 1 }));
    one.receive([applied(step, version, { data: { name: "Anna", phone: "9", points: 1 } })], {}, true);
  };

  test("of an edit keeps the edit in the view: its row was the base that it was made on", () => {
    const one = withAnn();
    const edit = one.one(update("customers", "c-1", { phone: "754" }));
    stepped(one);
    one.answer(applied(edit, 20, { replayed: true }));
    expect(one.view("customers", "c-1")).toEqual({ ...ann, phone: "754", points: 1 });
    // A page from before the step takes nothing back, and the row as it is now is taken.
    one.pull("customers", { id: "c-1", version: 20, data: { ...ann, phone: "754" } });
    expect(one.view("customers", "c-1")).toEqual({ ...ann, phone: "754", points: 1 });
    one.pull("customers", { id: "c-1", version: 21, data: { name: "Anna", phone: "754", points: 1 } });
    expect(one.view("customers", "c-1")).toEqual({ name: "Anna", phone: "754", points: 1 });
  });

  test("of an edit that was not in the view puts it over no later edit", () => {
    const one = withAnn();
    const parked = one.one(update("customers", "c-1", { phone: "1" }));
    const workspace = one.open();
    workspace.put({ ...parked, status: { state: "rejected", error: { code: "malformed", message: "400" } } });
    one.commit(workspace);
    const later = one.one(update("customers", "c-1", { phone: "2" }));
    one.receive([applied(later, 21, { data: { ...ann, phone: "2" } })], {}, true);
    one.answer(applied(parked, 20, { replayed: true }));
    expect([one.state(parked), one.view("customers", "c-1")]).toEqual(["applied", { ...ann, phone: "2" }]);
  });

  test("of a delete keeps the row deleted, and no row from before the step brings it back", () => {
    const one = withAnn();
    const gone = one.one(remove("customers", "c-1"));
    stepped(one, 22);
    one.answer(applied(gone, 20, { deleted: true, replayed: true }));
    expect(one.view("customers", "c-1")).toBeUndefined();
    // Another till has made the row again; the step is in that row.
    one.pull("customers", { id: "c-1", version: 21, data: { ...ann, name: "Anna" } });
    expect(one.view("customers", "c-1")).toBeUndefined();
    one.pull("customers", { id: "c-1", version: 22, data: { ...ann, name: "Anna", points: 1 } });
    expect(one.view("customers", "c-1")).toEqual({ ...ann, name: "Anna", points: 1 });
  });

  test("of a create keeps the row as it was made", () => {
    const one = withAnn();
    const gone = one.one(remove("customers", "c-1"));
    const made = one.one(create("customers", "c-1", { name: "New", phone: "1" }));
    stepped(one, 22);
    one.answer(applied(gone, 19, { deleted: true }), applied(made, 20, { data: { ...ann, name: "New", phone: "1" } }));
    expect(one.view("customers", "c-1")).toMatchObject({ name: "New", phone: "1" });
    one.pull("customers", { id: "c-1", version: 22, data: { ...ann, name: "New", phone: "1", points: 1 } });
    expect(one.view("customers", "c-1")).toEqual({ name: "New", phone: "1", points: 1 });
  });
});

describe("a result that has left out its row to keep the answer small (L12)", () => {
  test("keeps its operation in the view, also where the row in the last one can't be taken [C6]", () => {
    const one = till();
    const [first, second, third] = [-1, -2, -3].map((stock) => one.one(increment("products", "p-1", { stock })));
    const edits = ["A", "B"].map((category) => one.one(update("products", "p-1", { category })));
    const shown = { ...row, category: "B", stock: 1 };
    if (!first || !second || !third) throw new Error("not made");
    one.receive(
      [applied(first, 20), applied(second, 21), applied(third, 22, { data: { ...row, stock: 9 } })],
      {},
      true,
    );
    expect(one.view("products", "p-1")).toEqual(shown);
    one.receive(
      edits.map((edit, index) => applied(edit, 23 + index)),
      {},
      true,
    );
    expect(one.view("products", "p-1")).toEqual(shown);
    one.pull("products", { id: "p-1", version: 24, data: { ...row, category: "B", stock: 9 } });
    expect(one.view("products", "p-1")).toEqual({ ...row, category: "B", stock: 9 });
  });

  test("counts nothing that the base has already", () => {
    const one = till();
    const step = one.one(increment("products", "p-1", { stock: -2 }));
    one.pull("products", { id: "p-1", version: 20, data: { ...row, stock: 5 } });
    one.answer(applied(step, 20));
    expect(one.view("products", "p-1")).toMatchObject({ stock: 5 });
  });

  test("does not keep a row that has left the scope: that is told with the version at which it left [C10]", () => {
    const one = till();
    // The server counts the step, and does not show the row: it has moved to another branch.
    one.answer(
      applied(one.one(increment("products", "p-1", { stock: -2 })), 20, { flags: [{ code: "out_of_scope" }] }),
    );
    one.pull("products", { id: "p-1", version: 15, deleted: true, reason: "scope" });
    expect(one.view("products", "p-1")).toBeUndefined();
    one.pull("products", { id: "p-1", version: 30, data: { ...row, stock: 5 } });
    expect(one.view("products", "p-1")).toEqual({ ...row, stock: 5 });
  });
});

describe("an operation that the app can't read [H7]", () => {
  const old = { notes: defineCollection({ schema: z.object({ words: z.string() }) }) };
  const notes = (step: UpcastFunction) => ({
    notes: defineCollection({ schema: z.object({ text: z.string() }), schemaVersion: 2, upcast: { 1: step } }),
  });
  const newer = notes(({ words }) => ({ text: words }));

  test("is settled, and its row is left to the pull", () => {
    const before = new DecisionTill(newer);
    const edit = before.one(create("notes", "n-1", { text: "a" }));
    const one = before.updated(old);
    const told = one.answer(applied(edit, 20));
    expect([one.state(edit), told.map(({ kind }) => kind)]).toEqual(["applied", ["applied"]]);
    const data = { text: "a" };
    one.pull("notes", { id: "n-1", version: 20, data, schemaVersion: 2 });
    expect(one.updated(newer).open().view("notes", "n-1")).toEqual(data);
  });
});

describe("what a server of another schema has filled in [H7]", () => {
  const sales = (schemaVersion: number) => {
    const shape = {
      total: z.int(),
      ...(schemaVersion === 1 ? { no: z.string().optional() } : { number: z.string().optional() }),
    };
    return {
      sales: defineCollection({
        kind: "fact",
        schema: z.object(shape),
        assigned: [schemaVersion === 1 ? "no" : "number"] as never,
        ...(schemaVersion === 2 && {
          schemaVersion,
          upcast: { 1: ({ no, ...rest }: Readonly<Record<string, unknown>>) => ({ ...rest, number: no }) },
        }),
      }),
    };
  };

  test("is not mixed into the sale as this app reads it", () => {
    const before = new DecisionTill(sales(1));
    const made = before.one(create("sales", "s-1", { total: 5 }));
    const one = before.updated(sales(2));
    one.answer(applied(made, 20, { assigned: { no: "9" }, schemaVersion: 1 }));
    expect(one.view("sales", "s-1")).toEqual({ total: 5 });
  });
});
