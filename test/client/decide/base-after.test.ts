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
