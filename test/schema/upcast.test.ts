import { defineCollection } from "tillsync/schema";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { resolvedOf } from "../../src/schema/resolved.ts";
import { upcastData, upcastEdit, upcastRow } from "../../src/schema/upcast.ts";

const versions = (...steps: ((data: Record<string, unknown>) => Record<string, unknown>)[]) =>
  resolvedOf(
    defineCollection({
      schema: z.object({}),
      schemaVersion: steps.length + 1,
      upcast: Object.fromEntries(steps.map((step, i) => [i + 1, step])),
    }),
  );
const products = versions(
  ({ price, ...data }) => ({ ...data, priceCents: Number(price) * 100 }),
  (data) => ({ ...data, category: "none" }),
);

const thrown = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("expected a throw");
};

describe("upcastData", () => {
  it("runs every step from the record's version to the collection's", () => {
    expect(upcastData("products", products, 1, { name: "Tea", price: 2 })).toEqual({
      name: "Tea",
      priceCents: 200,
      category: "none",
    });
    expect(upcastData("products", products, 2, { priceCents: 200 })).toEqual({ priceCents: 200, category: "none" });
  });

  it("leaves a record of the present version as it is", () => {
    const data = { priceCents: 200, category: "x" };
    expect(upcastData("products", products, 3, data)).toBe(data);
  });

  it("keeps the stored record out of reach of a step that edits its argument", () => {
    const stored = { items: [{ quantity: 1 }] };
    const editing = versions((data) => {
      (data as typeof stored).items[0]!.quantity = 2;
      return data;
    });
    expect(upcastData("sales", editing, 1, stored)).toEqual({ items: [{ quantity: 2 }] });
    expect(stored).toEqual({ items: [{ quantity: 1 }] });
  });

  it.each([
    ["throws", () => JSON.parse("{"), "Expected"],
    ["returns nothing", () => undefined, "it returned no object"],
    ["returns an array", () => [], "it returned no object"],
    ["returns a Date", () => ({ at: new Date(0) }), "it returned an instance of Date at `at`"],
  ])("says which step failed when one %s", (_name, step, what) => {
    const broken = versions(step as never);
    expect(() => upcastData("sales", broken, 1, {})).toThrow(
      /`upcast\[1\]` of `sales` to return the record in version 2/,
    );
    expect(() => upcastData("sales", broken, 1, {})).toThrow(what);
  });

  it("reports a step that throws as a failed validation, with its error", () => {
    const cause = new Error("no price");
    const throwing = versions(() => {
      throw cause;
    });
    const message = "Expected the step `upcast[1]` of `sales` to return the record in version 2: no price.";
    expect(thrown(() => upcastData("sales", throwing, 1, {}))).toMatchObject({
      code: "validation_failed",
      message,
      details: { collection: "sales", issues: [{ message }] },
      cause,
    });
  });

  it("is never asked for a version that there is not", () => {
    expect(() => upcastData("products", products, 4, {})).toThrow("defect");
    expect(() => upcastData("products", products, 0, {})).toThrow("defect");
  });
});

describe("upcastRow", () => {
  const counted = (schemaVersion: 1 | 2) =>
    resolvedOf(
      defineCollection({
        schema: z.object({ priceCents: z.int(), stock: z.int(), litres: z.string() }),
        counters: ["stock", "litres"],
        schemaVersion,
        // A step that refuses what it does not know: it must see no counter.
        upcast:
          schemaVersion === 1
            ? {}
            : { 1: (data) => z.strictObject({ price: z.int() }).parse(data) && { priceCents: 200 } },
      }),
    );

  it("raises the data of a row, and keeps its counters from the steps", () => {
    expect(upcastRow("products", counted(2), 1, { price: 2, stock: 7, litres: "1.50" })).toEqual({
      priceCents: 200,
      stock: 7,
      litres: "1.50",
    });
  });

  it("counts from zero what the old version did not count", () => {
    expect(upcastRow("products", counted(2), 1, { price: 2, stock: 7 })).toEqual({
      priceCents: 200,
      stock: 7,
      litres: "0",
    });
  });

  it("leaves a row of the present version as it is", () => {
    const row = { priceCents: 200, stock: 7 };
    expect(upcastRow("products", counted(1), 1, row)).toBe(row);
  });

  it("raises a row of a collection without counters", () => {
    expect(upcastRow("products", products, 2, { priceCents: 200 })).toEqual({ priceCents: 200, category: "none" });
  });
});

describe("upcastEdit", () => {
  const cents = versions(({ price, ...data }) => ({ ...data, priceCents: (price as number) * 100 }));

  it("leaves an edit alone that has nothing to do with what the step computes", () => {
    const scaled = versions((data) => ({ ...data, price: (data.price as number) * 100 }));
    const edit = { patch: { name: "Green tea" }, unset: [] };
    // The record has no price, so the step makes NaN of it, with the edit and without it.
    expect(upcastEdit("products", scaled, 1, edit, { name: "Tea" })).toEqual(edit);
  });

  it("raises a value, also if the record that stands in for the old one is new", () => {
    const edit = { patch: { price: 3 }, unset: [] };
    const raised = { patch: { priceCents: 300 }, unset: [] };
    expect(upcastEdit("products", cents, 1, edit, { name: "Tea", price: 2 })).toEqual(raised);
    expect(upcastEdit("products", cents, 1, edit, { name: "Tea", priceCents: 300 })).toEqual(raised);
    expect(upcastEdit("products", cents, 1, edit, {})).toEqual(raised);
  });

  it("does not take what a step fills in for an edit", () => {
    const taxed = versions((data) => ({ ...data, taxRate: data.taxRate ?? 19 }));
    const edit = { patch: { name: "Green tea" }, unset: [] };
    expect(upcastEdit("products", taxed, 1, edit, { name: "Tea" })).toEqual(edit);
    expect(upcastEdit("products", taxed, 1, edit, { name: "Tea", taxRate: 7 })).toEqual(edit);
  });

  it("removes the field that the removed one has become", () => {
    const renamed = versions(({ note, ...data }) => ({ ...data, ...(note !== undefined && { comment: note }) }));
    const edit = { patch: {}, unset: ["note"] };
    expect(upcastEdit("products", renamed, 1, edit, { note: "x" })).toEqual({ patch: {}, unset: ["comment"] });
  });

  it("removes it also if the record that stands in for the old one lacks it, or has it under the new name", () => {
    const kept = versions((data) => data);
    const renamed = versions(({ note, ...data }) => ({ ...data, ...(note !== undefined && { comment: note }) }));
    const listed = versions(({ tags, ...data }) => ({ ...data, labels: (tags as string[] | undefined)?.map(String) }));
    const without = (name: string) => ({ patch: {}, unset: [name] });
    expect(upcastEdit("products", kept, 1, without("note"), {})).toEqual(without("note"));
    expect(upcastEdit("products", renamed, 1, without("note"), { comment: "x" })).toEqual(without("comment"));
    expect(upcastEdit("products", listed, 1, without("tags"), { labels: ["a"] })).toEqual(without("labels"));
  });

  it("removes a field that the record has together with one that it lacks", () => {
    const trimmed = versions(({ note, tags, ...data }) => ({
      ...data,
      ...(note !== undefined && { comment: (note as string).trim() }),
      ...(tags !== undefined && { labels: (tags as string[]).map(String) }),
    }));
    const edit = { patch: {}, unset: ["note", "tags"] };
    expect(upcastEdit("products", trimmed, 1, edit, { note: "x" })).toEqual({
      patch: {},
      unset: ["comment", "labels"],
    });
  });

  it("says why a removal can't be raised, if the step accepts no value of the removed field", () => {
    const picky = versions(({ size, ...data }) => ({ ...data, size: (size as { unit: { code: string } }).unit.code }));
    expect(thrown(() => upcastEdit("products", picky, 1, { patch: {}, unset: ["size"] }, {}))).toMatchObject({
      code: "validation_failed",
      message: expect.stringContaining("`upcast[1]` of `products`"),
      cause: expect.any(TypeError),
    });
  });

  it("sets what the step makes of a field that is gone", () => {
    const told = versions(({ note, ...data }) => ({ ...data, state: note === undefined ? "silent" : "told" }));
    expect(upcastEdit("products", told, 1, { patch: {}, unset: ["note"] }, { note: "x" })).toEqual({
      patch: { state: "silent" },
      unset: [],
    });
  });

  it("removes what the step leaves out because of the new value", () => {
    const archived = versions(({ active, ...data }) => ({ ...data, ...(active === false && { archived: true }) }));
    expect(upcastEdit("products", archived, 1, { patch: { active: true }, unset: [] }, { active: false })).toEqual({
      patch: {},
      unset: ["archived"],
    });
  });

  it("sets a field that a removed one and a set one have become, and does not remove it", () => {
    const merged = versions(({ nick, name, ...data }) => ({ ...data, label: nick ?? name }));
    const edit = { patch: { nick: "Ann" }, unset: ["name"] };
    expect(upcastEdit("people", merged, 1, edit, { name: "Anna" })).toEqual({ patch: { label: "Ann" }, unset: [] });
  });

  it("does not set again what the step derives from the presence of the edited field", () => {
    const priced = versions(({ price, ...data }) => ({
      ...data,
      ...(price !== undefined && { priceCents: (price as number) * 100, currency: "EUR" }),
    }));
    expect(upcastEdit("products", priced, 1, { patch: { price: 3 }, unset: [] }, { price: 2 })).toEqual({
      patch: { priceCents: 300 },
      unset: [],
    });
  });

  it("does not remove a field that the step sets to undefined with the edit and without it", () => {
    const written = versions((data) => ({ ...data, price: undefined, priceCents: (data.price as number) * 100 }));
    expect(upcastEdit("products", written, 1, { patch: { price: 3 }, unset: [] }, { price: 2 })).toEqual({
      patch: { priceCents: 300 },
      unset: [],
    });
  });

  it("raises what was there before", () => {
    const edit = { patch: { price: 3 }, unset: [], before: { price: 2 } };
    expect(upcastEdit("products", cents, 1, edit, { name: "Tea", priceCents: 900 })).toEqual({
      patch: { priceCents: 300 },
      unset: [],
      before: { priceCents: 200 },
    });
  });

  it("asks the step for patches, if there is one", () => {
    const resolved = resolvedOf(
      defineCollection({
        schema: z.object({}),
        schemaVersion: 2,
        upcast: {
          1: {
            record: ({ first, last, ...data }) => ({ ...data, name: `${(first as string).trim()} ${last}` }),
            patch: ({ first, ...data }) => ({ ...data, ...(first !== undefined && { firstName: first }) }),
          },
        },
      }),
    );
    const edit = { patch: { first: "Ann" }, unset: ["phone"] };
    expect(upcastEdit("people", resolved, 1, edit, {})).toEqual({ patch: { firstName: "Ann" }, unset: ["phone"] });
  });

  it.each([
    [
      "computes nonsense from the edit",
      versions((data) => ({ total: (data.price as number) * (data.quantity as number) })),
    ],
    ["drops the edited field", versions(({ quantity: _, ...data }) => data)],
    ["throws", versions((data) => ({ ...data, name: (data.name as string).trim() }))],
  ])("says so if a step %s", (_name, resolved) => {
    const edit = { patch: { quantity: 3 }, unset: [] };
    expect(() => upcastEdit("sales", resolved, 1, edit, { total: 6 })).toThrow(/`upcast\[1\]` of `sales`/);
  });

  it("refuses what a step for patches returns if it is no JSON", () => {
    const dated = resolvedOf(
      defineCollection({
        schema: z.object({}),
        schemaVersion: 2,
        upcast: { 1: { record: (data) => data, patch: ({ at }) => ({ at: new Date(at as number) }) } },
      }),
    );
    expect(thrown(() => upcastEdit("sales", dated, 1, { patch: { at: 0 }, unset: [] }, {}))).toMatchObject({
      code: "validation_failed",
      message: expect.stringContaining("it leaves nothing of an edit of `at`"),
    });
  });

  it.each([
    ["sets a value", { patch: { quantity: "many", name: "Tea" }, unset: [] }],
    ["removes one", { patch: { name: "Tea" }, unset: ["quantity"] }],
  ])("refuses an edit that %s of which the step makes no JSON, also if it can raise the rest", (_name, edit) => {
    const total = versions(({ price, quantity, ...data }) => ({ ...data, total: Number(price) * Number(quantity) }));
    expect(thrown(() => upcastEdit("sales", total, 1, edit, { price: 2, quantity: 1 }))).toMatchObject({
      code: "validation_failed",
      message: expect.stringContaining("`upcast[1]` of `sales`"),
    });
  });

  it("refuses an edit of a field of which the step makes no JSON with the edit and without it", () => {
    const taxed = versions((data) => ({ ...data, price: Number(data.price) * Number(data.rate) }));
    const edit = { patch: { price: 3, name: "Tea" }, unset: [] };
    expect(thrown(() => upcastEdit("sales", taxed, 1, edit, { price: 2 }))).toMatchObject({
      code: "validation_failed",
    });
    expect(upcastEdit("sales", taxed, 1, edit, { price: 2, rate: 2 })).toEqual({
      patch: { price: 6, name: "Tea" },
      unset: [],
    });
    // It is no matter of an edit that does not name the field.
    expect(upcastEdit("sales", taxed, 1, { patch: { name: "Tea" }, unset: [] }, { price: 2 }).patch).toEqual({
      name: "Tea",
    });
  });

  it("raises an edit to the value that is there already, also of a field that the step needs", () => {
    const needing = versions((data) => ({ ...data, shown: (data.quantity as number).toFixed(1) }));
    expect(upcastEdit("sales", needing, 1, { patch: { quantity: 3 }, unset: [] }, { quantity: 3 })).toEqual({
      patch: { quantity: 3 },
      unset: [],
    });
  });

  it("raises an edit to the value that is there already", () => {
    const renamed = versions(({ quantity, ...data }) => ({
      ...data,
      ...(quantity !== undefined && { count: quantity }),
    }));
    const edit = { patch: { quantity: 3 }, unset: [] };
    expect(upcastEdit("sales", renamed, 1, edit, { quantity: 3 })).toEqual({ patch: { count: 3 }, unset: [] });
    const needing = versions(({ quantity, ...data }) => ({ ...data, count: (quantity as number).toFixed(1) }));
    expect(upcastEdit("sales", needing, 1, edit, { quantity: 3 })).toEqual({ patch: {}, unset: [] });
  });
});
