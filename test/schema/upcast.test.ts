import { defineCollection } from "tillsync/schema";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { resolvedOf } from "../../src/schema/resolved.ts";
import { upcastData, upcastEdit } from "../../src/schema/upcast.ts";

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

  it("is never asked for a version that there is not", () => {
    expect(() => upcastData("products", products, 4, {})).toThrow("defect");
    expect(() => upcastData("products", products, 0, {})).toThrow("defect");
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
