import { defineCollection } from "tillsync/schema";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { resolvedOf } from "../../src/schema/resolved.ts";
import { upcastData } from "../../src/schema/upcast.ts";

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
