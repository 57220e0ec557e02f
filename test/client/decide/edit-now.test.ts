/** Operations that an older app has made, as this one reads them [H7]. */
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { editNow, raisedEdit } from "../../../src/client/decide/edit-now.ts";
import type { UpcastFunction } from "../../../src/schema/types.ts";
import { create, DecisionTill, increment, remove, update } from "../support/decision-till.ts";

const seen: object[] = [];
const inCents: UpcastFunction = ({ price, ...rest }) => {
  seen.push({ price, ...rest });
  return { ...rest, priceCents: (price as number) * 100 };
};
const teas = (schemaVersion: 1 | 2, step = inCents) => ({
  teas: defineCollection({
    schema:
      schemaVersion === 1
        ? z.object({ price: z.number(), note: z.string().optional(), stock: z.int().default(0) })
        : z.object({
            priceCents: z.int(),
            note: z.string().optional(),
            stock: z.int().default(0),
            sold: z.int().default(0),
          }),
    counters: (schemaVersion === 1 ? ["stock"] : ["stock", "sold"]) as never,
    ...(schemaVersion === 2 && { schemaVersion, upcast: { 1: step } }),
  }),
});
const record = { price: 3, note: "n", stock: 7 };
const old = () => {
  const one = new DecisionTill(teas(1));
  one.pull("teas", { id: "t-1", version: 10, data: record });
  return one;
};
const definition = (step?: UpcastFunction) => {
  const found = new DecisionTill(teas(2, step)).collections.teas;
  if (found === undefined) throw new Error("no teas");
  return found;
};
const failing = definition(() => {
  throw new Error("no");
});

test("a create has all of its record in the new schema, with the counters that are new at zero", () => {
  const [made] = old().write([create("teas", "t-2", { price: 2, stock: 5 })]);
  expect(made && editNow(definition(), made, null)).toMatchObject({
    schemaVersion: 2,
    data: { priceCents: 200 },
    zeros: { stock: 0, sold: 0 },
  });
});

test("a create of a collection without counters has none", () => {
  const logs = (schemaVersion: 1 | 2) => ({
    logs: defineCollection({
      schema: z.object({ text: z.string() }),
      ...(schemaVersion === 2 && { schemaVersion, upcast: { 1: (data: object) => data as never } }),
    }),
  });
  const made = new DecisionTill(logs(1)).one(create("logs", "l-1", { text: "a" }));
  const { logs: now } = new DecisionTill(logs(2)).collections;
  expect(now && raisedEdit(now, made, null)).not.toHaveProperty("zeros");
});

test("an update has its fields in the new schema, with what they were before", () => {
  const edit = old().one(update("teas", "t-1", { price: 4, note: undefined }));
  expect(editNow(definition(), edit, record)).toMatchObject({
    schemaVersion: 2,
    patch: { priceCents: 400 },
    unset: ["note"],
    before: { priceCents: 300, note: "n" },
  });
});

test("an update is raised on the record that it edits, of which a step may need another field", () => {
  const byNote = definition(({ price, note, ...rest }) => ({
    ...rest,
    note,
    priceCents: (price as number) * 100 + (note as string).length,
  }));
  const edit = old().one(update("teas", "t-1", { price: 4 }));
  expect(editNow(byNote, edit, record)).toMatchObject({ patch: { priceCents: 401 }, before: { priceCents: 301 } });
});

test("an update shows no step a counter, which is no step's to change", () => {
  seen.length = 0;
  editNow(definition(), old().one(update("teas", "t-1", { price: 4 })), record);
  expect(seen.length).toBeGreaterThan(0);
  for (const data of seen) expect(data).not.toHaveProperty("stock");
});

test("steps of counters and deletes need no raising", () => {
  for (const change of [increment("teas", "t-1", { stock: -1 }), remove("teas", "t-1")]) {
    const operation = old().one(change);
    expect(editNow(failing, operation, record)).toEqual({ ...operation, schemaVersion: 2 });
  }
});

test("what this app has made is as it is", () => {
  const one = old();
  const edit = one.one(update("teas", "t-1", { price: 4 }));
  expect(one.collections.teas && editNow(one.collections.teas, edit, record)).toBe(edit);
});

describe("can't be read, and is no error,", () => {
  const edit = old().one(update("teas", "t-1", { price: 4 }));

  test("what a newer app has made", () => {
    const { teas: before } = old().collections;
    expect(before && editNow(before, { ...edit, schemaVersion: 2 }, record)).toBeUndefined();
  });

  test("that on which a step fails", () => {
    expect(editNow(failing, edit, record)).toBeUndefined();
  });
});
