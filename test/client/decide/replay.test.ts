/** The view of a row: the server's base, and this device's open operations on it (L8). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDelta, mergeDelta, replay } from "../../../src/client/decide/replay.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import type { JsonObject } from "../../../src/shared/json.ts";
import { tea } from "../support/decision-till.ts";

const edit = (over: Partial<StoredOperation>): StoredOperation => ({
  id: "o",
  sequence: 1,
  rank: 1,
  lane: 1,
  collection: "products",
  entityId: "p-1",
  kind: "record",
  action: "update",
  schemaVersion: 1,
  occurredAt: 0,
  bytes: 0,
  status: { state: "pending" },
  attempts: 0,
  ...over,
});
const patch = (fields: JsonObject, unset?: readonly string[]) => edit({ action: "update", patch: fields, unset });
const made = (data: JsonObject, zeros?: Record<string, number>) => edit({ action: "create", data, zeros });
const gone = edit({ action: "delete" });
const counters = ["stock"];
const base = { ...tea, stock: 7 };

describe("without open operations", () => {
  test("it is the base", () => {
    expect(replay(base, [], undefined, counters)).toEqual(base);
  });
  test("it is nothing where the server has nothing", () => {
    expect(replay(null, [], undefined, counters)).toBeUndefined();
  });
});

describe("edits", () => {
  test("are replayed in order: the later one of a field shows", () => {
    const edits = [patch({ name: "A", note: "n" }), patch({ name: "B" })];
    expect(replay(base, edits, undefined, counters)).toEqual({ ...base, name: "B", note: "n" });
  });
  test("remove the fields they unset", () => {
    expect(replay({ ...base, note: "n" }, [patch({}, ["note"])], undefined, counters)).toEqual(base);
  });
  test("keep null as a value", () => {
    expect(replay({ name: "A", phone: "1" }, [patch({ phone: null })], undefined, [])).toEqual({
      name: "A",
      phone: null,
    });
  });
  test("of a row that is not there show nothing", () => {
    expect(replay(null, [patch({ name: "A" })], undefined, counters)).toBeUndefined();
  });
  test("after a delete show nothing", () => {
    expect(replay(base, [gone, patch({ name: "A" })], undefined, counters)).toBeUndefined();
  });
});

describe("a create", () => {
  test("shows with its counters at zero", () => {
    expect(replay(null, [made(tea, { stock: 0 })], undefined, counters)).toEqual({ ...tea, stock: 0 });
  });
  test("over a base takes over the counters, which are not of the row's life [H4]", () => {
    expect(replay(base, [gone, made(tea, { stock: 0 })], undefined, counters)).toEqual({ ...tea, stock: 7 });
  });
  test("shows its own fields, and not those of the row that was there before", () => {
    expect(replay({ ...base, note: "old" }, [gone, made(tea, { stock: 0 })], undefined, counters)).not.toHaveProperty(
      "note",
    );
  });
});

describe("increments", () => {
  test("are added to what the edits leave", () => {
    expect(replay(base, [patch({ name: "A" })], { stock: -2 }, counters)).toEqual({ ...base, name: "A", stock: 5 });
  });
  test("of a row that is not there show nothing: they are in the sum when it appears", () => {
    expect(replay(null, [], { stock: 3 }, counters)).toBeUndefined();
  });
  test("begin at zero where the base has no such counter yet", () => {
    expect(addDelta({ name: "A" }, { points: 3, litres: "1.5" })).toEqual({ points: 3, litres: "1.5" });
  });
  test("of decimal counters add exactly", () => {
    expect(addDelta({ litres: "0.1" }, { litres: "0.2" })).toEqual({ litres: "0.3" });
  });
});

describe("the sum of increments", () => {
  test("leaves out what comes to nothing, so that a settled row has none", () => {
    expect(mergeDelta({ stock: -2 }, { stock: -2 }, -1)).toBeUndefined();
    expect(mergeDelta({ stock: -2, points: 1 }, { stock: 2 }, 1)).toEqual({ points: 1 });
  });
  test("leaves out a decimal zero of whatever scale", () => {
    expect(mergeDelta({ litres: "1.50" }, { litres: "1.50" }, -1)).toBeUndefined();
  });
  test("is the same whatever the order, and taking everything back leaves nothing", async () => {
    const step = fc.record({ stock: fc.integer({ min: -1_000, max: 1_000 }) });
    await fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.nat(), (all, seed) => {
        const shuffled = [...all].sort((a, b) => ((a.stock * 31 + seed) % 7) - ((b.stock * 31 + seed) % 7));
        const sum = (steps: readonly { stock: number }[], start: ReturnType<typeof mergeDelta>, sign: 1 | -1) =>
          steps.reduce((delta, by) => mergeDelta(delta, by, sign), start);
        expect(sum(shuffled, undefined, 1)).toEqual(sum(all, undefined, 1));
        expect(sum(shuffled, sum(all, undefined, 1), -1)).toBeUndefined();
      }),
    );
  });
});

test("a replay leaves base and operations as they are", () => {
  const frozen = Object.freeze({ ...base });
  const edits = [Object.freeze(patch(Object.freeze({ name: "A" }))), Object.freeze(gone)];
  expect(() => replay(frozen, edits, Object.freeze({ stock: 1 }), counters)).not.toThrow();
});
