/** A pulled page: other devices' changes, and the cursor with them (L4). */

import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { waitsFor } from "../../../src/client/decide/pull-page.ts";
import { FIRST_CURSOR, nextGenerations } from "../../../src/client/state/meta.ts";
import { create, DecisionTill, increment, remove, tea, update } from "../support/decision-till.ts";

const row = (name: string, stock = 7) => ({ ...tea, name, stock });

describe("a page", () => {
  test("moves the cursor, also where nothing in it is visible", () => {
    expect(new DecisionTill().page("products", [])).toMatchObject({ cursor: "c-0", received: 0 });
  });

  test("of several counts what it brought", () => {
    const till = new DecisionTill();
    till.page("products", [{ id: "p-1", version: 1, data: row("A") }], true);
    expect(till.page("products", [{ id: "p-2", version: 2, data: row("B") }])).toMatchObject({ received: 2 });
  });

  test("that is not the last leaves the collection incomplete", () => {
    expect(new DecisionTill().page("products", [], true)).toMatchObject({ complete: false, everComplete: false });
  });

  test("that is the last makes it complete, for ever", () => {
    const till = new DecisionTill();
    till.page("products", []);
    till.resync("products");
    expect(till.cursors.get("products")).toMatchObject({ complete: false, everComplete: true });
  });

  test("that has more behind it, of a collection that was complete, leaves it so", () => {
    const till = new DecisionTill();
    till.page("products", []);
    expect(till.page("products", [], true)).toMatchObject({ complete: true });
  });

  test("says how much is left while there is more, and no longer", () => {
    const till = new DecisionTill();
    expect(till.page("products", [], true, 41_000)).toMatchObject({ remaining: 41_000 });
    expect(till.page("products", [], false, 3)).not.toHaveProperty("remaining");
  });
});

describe("a change of another device", () => {
  test("shows at once on a row that nothing is open on", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 1, data: row("A") });
    expect(till.view("products", "p-1")).toEqual(row("A"));
  });

  test("goes under what is open here, and shows in the other fields (L8)", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 1, data: row("A") });
    till.write([update("products", "p-1", { name: "mine" }), increment("products", "p-1", { stock: -1 })]);
    till.pull("products", { id: "p-1", version: 2, data: { ...row("theirs", 9), category: "hot" } });
    expect(till.view("products", "p-1")).toEqual({ ...row("mine", 8), category: "hot" });
  });

  test("that deleted the row hides it, though an edit is open here", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 1, data: row("A") });
    till.write([update("products", "p-1", { name: "mine" })]);
    till.pull("products", { id: "p-1", version: 2, deleted: true });
    expect(till.view("products", "p-1")).toBeUndefined();
  });

  test("does not bring back a row that was deleted here", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 1, data: row("A") });
    till.write([remove("products", "p-1")]);
    till.pull("products", { id: "p-1", version: 2, data: row("B") });
    expect(till.view("products", "p-1")).toBeUndefined();
  });

  test("of the same id as a create that is open here shows the own one, with the counters of both", () => {
    const till = new DecisionTill();
    till.write([create("products", "p-1", { ...row("mine"), stock: 5 })]);
    till.pull("products", { id: "p-1", version: 2, data: row("theirs", 4) });
    expect(till.view("products", "p-1")).toEqual(row("mine", 9));
  });

  test("that took the row out of the scope hides it", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 1, data: row("A") });
    till.pull("products", { id: "p-1", version: 2, deleted: true, reason: "scope" });
    expect(till.view("products", "p-1")).toBeUndefined();
  });
});

describe("a resync", () => {
  test("begins at the start, and keeps that the collection was complete once", () => {
    const till = new DecisionTill();
    till.page("products", []);
    till.resync("products");
    expect(till.cursors.get("products")).toEqual({ ...FIRST_CURSOR, generation: 2, everComplete: true });
  });

  test("that has come to its end has the rest swept away", () => {
    const till = new DecisionTill();
    till.page("products", []);
    till.resync("products");
    expect(till.page("products", [], true)).not.toHaveProperty("sweep");
    expect(till.page("products", [])).toMatchObject({ sweep: "" });
  });

  test("is swept once", () => {
    const till = new DecisionTill();
    till.resync("products");
    const { sweep: _, ...swept } = till.page("products", []);
    till.cursors.set("products", swept);
    expect(till.page("products", [])).not.toHaveProperty("sweep");
  });

  test("leaves open operations where they are", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 9, data: row("A") });
    till.write([update("products", "p-1", { name: "mine" })]);
    till.resync("products");
    till.pull("products", { id: "p-1", version: 3, data: row("B") });
    expect(till.view("products", "p-1")).toEqual(row("mine"));
  });
});

describe("a page of another schema [H7]", () => {
  const notes = defineCollection({
    schema: z.object({ text: z.string() }),
    schemaVersion: 2,
    upcast: { 1: ({ words }) => ({ text: words }) },
  });
  const page = (schemaVersion: number | undefined, ...versions: readonly (number | undefined)[]) => ({
    changes: versions.map((version, n) => ({
      id: `n-${n}`,
      version: n + 1,
      data: version === 1 ? { words: "a" } : { text: "a" },
      schemaVersion: version,
    })),
    cursor: "c-1",
    more: false,
    schemaVersion,
  });

  test("of an older server is read, and the collection waits for the server until a page is not", () => {
    const till = new DecisionTill({ notes });
    const { changes } = page(1, 1);
    till.receive([], { notes: { ...page(1), changes: changes.map(({ schemaVersion: _, ...change }) => change) } });
    expect(till.view("notes", "n-0")).toEqual({ text: "a" });
    expect(till.cursors.get("notes")).toMatchObject({ waits: "schema_newer", complete: true });
    till.receive([], { notes: page(2) });
    expect(till.cursors.get("notes")).not.toHaveProperty("waits");
    till.receive([], { notes: page(undefined) });
    expect(till.cursors.get("notes")).not.toHaveProperty("waits");
  });

  test("can hold rows of several", () => {
    const till = new DecisionTill({ notes });
    till.receive([], { notes: page(2, 1, 2, undefined) });
    expect([0, 1, 2].map((n) => till.view("notes", `n-${n}`))).toEqual(Array(3).fill({ text: "a" }));
  });

  test("that is newer, or one row of it, is not taken: the collection waits for the app", () => {
    expect(waitsFor(page(3), undefined, 2)).toBe("schema_older");
    expect(waitsFor(page(2, 2, 3), undefined, 2)).toBe("schema_older");
    expect(waitsFor(page(undefined, 3), undefined, 2)).toBe("schema_older");
  });

  test("is taken where the app can read all of it", () => {
    for (const readable of [page(2, 1, 2), page(1, undefined), page(undefined, undefined), page(2)])
      expect(waitsFor(readable, undefined, 2)).toBeUndefined();
  });

  test("that the server does not give leaves its reason", () => {
    expect(waitsFor(undefined, "unknown_collection", 2)).toBe("unknown_collection");
    expect(waitsFor(undefined, undefined, 2)).toBeUndefined();
  });
});

test("a page of an earlier resync that has more behind it does not end the new one", () => {
  const till = new DecisionTill();
  till.page("products", []);
  till.point = nextGenerations(till.point, ["products"]);
  expect(till.page("products", [], true)).toMatchObject({ complete: false, everComplete: true, generation: 2 });
});

test("a first pull has nothing to sweep", () => {
  expect(new DecisionTill().page("products", [])).not.toHaveProperty("sweep");
});
