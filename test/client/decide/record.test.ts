/** A stored row as an app sees it: the record, and what `meta()` says of it. */
import { describe, expect, test } from "vitest";
import { metaOf, recordOf } from "../../../src/client/decide/record.ts";
import type { StoredRow } from "../../../src/client/state/rows.ts";

const row: StoredRow = { id: "p-1", version: 3, generation: 1, rev: 1, data: { name: "Tea" } };

test("a record begins with its id, and nobody can change it for the others who read it", () => {
  const record = recordOf("p-1", { name: "Tea" });
  expect(JSON.stringify(record)).toBe('{"id":"p-1","name":"Tea"}');
  expect(Object.isFrozen(record)).toBe(true);
});

describe("meta", () => {
  test("of a row on which nothing is open", () => {
    expect(metaOf(row)).toEqual({
      version: 3,
      sync: "synced",
      pendingOperations: 0,
      flags: [],
      changedHereAt: undefined,
      deleted: false,
      conflictId: undefined,
    });
  });

  test("has the flags, the open conflict, and when it was last changed here", () => {
    const flags = [{ code: "stock_discrepancy" }];
    expect(metaOf({ ...row, flags, conflictId: "c-1", changedHereAt: 7, states: { conflict: 1 } })).toMatchObject({
      flags,
      conflictId: "c-1",
      changedHereAt: 7,
      pendingOperations: 0,
    });
  });

  test("counts what waits for the server, blocked or not", () => {
    expect(metaOf({ ...row, states: { pending: 2, blocked: 3, rejected: 1 } }).pendingOperations).toBe(5);
  });

  test("shows the state that most needs attention", () => {
    const states = { pending: 1, blocked: 1, quarantined: 1, conflict: 1, rejected: 1 };
    const shown: string[] = [];
    for (const worst of ["rejected", "conflict", "quarantined", "blocked", "pending", "none"] as const) {
      shown.push(metaOf({ ...row, states: { ...states } }).sync);
      if (worst !== "none") Reflect.deleteProperty(states, worst);
    }
    expect(shown).toEqual(["rejected", "conflict", "quarantined", "blocked", "pending", "synced"]);
  });

  test("says that a record is deleted here only while the server has not agreed", () => {
    const { data: _, ...gone } = row;
    const deleted = (states: StoredRow["states"]) => metaOf({ ...gone, states }).deleted;
    expect([deleted({ pending: 1 }), deleted({ blocked: 1 }), deleted({ conflict: 1 })]).toEqual([true, true, true]);
    expect([deleted(undefined), deleted({ rejected: 1 })]).toEqual([false, false]);
    expect(metaOf({ ...row, states: { pending: 1 } }).deleted).toBe(false);
  });
});
