/** A pulled page: other devices' changes, and the cursor with them (L4). */
import { describe, expect, test } from "vitest";
import { FIRST_CURSOR } from "../../../src/client/state/meta.ts";
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
    expect(till.page("products", [])).not.toHaveProperty("remaining");
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

test("a first pull has nothing to sweep", () => {
  expect(new DecisionTill().page("products", [])).not.toHaveProperty("sweep");
});
