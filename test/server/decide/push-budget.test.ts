/** Which units of a push are judged, and which are put off (L12). */
import { describe, expect, test } from "vitest";
import {
  exceedsQuota,
  NAMED_IDS,
  nextReach,
  quarantineFull,
  withinBudget,
} from "../../../src/server/decide/push-budget.ts";
import type { Viewpoint } from "../../../src/server/decide/rows/sender.ts";
import type { WorkingSet } from "../../../src/server/decide/rows/working-set.ts";
import type { Unit } from "../../../src/server/decide/transaction.ts";

/** A unit of so many operations, whose first one names so many ids. */
function unit(named: number, operations = 1, list: "after" | "supersedes" = "supersedes"): Unit {
  const member = (n: number) => ({
    id: `o-${n}`,
    parsed: { ok: true, value: n === 0 ? { [list]: Array.from({ length: named }, (_, id) => `t-${id}`) } : {} },
  });
  return { kind: "single", members: Array.from({ length: operations }, (_, n) => member(n)) } as unknown as Unit;
}
const judged = (...units: readonly Unit[]) => withinBudget(units).units.length;

describe("the ids that a push names", () => {
  test.each(["after", "supersedes"] as const)("in `%s` are counted up to the bound, exactly", (list) => {
    const first = unit(0);
    expect(judged(first, unit(NAMED_IDS, 1, list), unit(0))).toBe(3);
    expect(judged(first, unit(NAMED_IDS - 1, 1, list), unit(1), unit(1), unit(0))).toBe(3);
  });
  test("put off all that follows, in its order: what comes later must not overtake", () => {
    const [a, b, c] = [unit(1), unit(NAMED_IDS + 1), unit(0)];
    expect(withinBudget([a, b, c])).toEqual({ units: [a], putOff: [b, c] });
  });
  test("of the first unit do not count: whatever it waits for, the others do not wait with it", () => {
    expect(judged(unit(5 * NAMED_IDS), unit(NAMED_IDS), unit(0))).toBe(3);
    expect(judged(unit(5 * NAMED_IDS), unit(NAMED_IDS + 1), unit(0))).toBe(1);
  });
  test("of what can't be read do not count, because nothing is looked up for it", () => {
    const broken = { kind: "single", members: [{ id: "o", parsed: { ok: false, issues: [] } }] } as unknown as Unit;
    expect(judged(broken, broken, unit(NAMED_IDS))).toBe(3);
  });
});

describe("the units that are read together", () => {
  test("have 64 operations, or are one", () => {
    const small = Array.from({ length: 200 }, () => unit(0));
    expect(nextReach(small, 0)).toBe(64);
    expect(nextReach(small, 64)).toBe(128);
    expect(nextReach(small, 192)).toBe(200);
    expect(nextReach([unit(0, 250), unit(0)], 0)).toBe(1);
    expect(nextReach([unit(0), unit(0, 250), unit(0)], 1)).toBe(2);
  });
});

describe("what a device may have in quarantine", () => {
  const MIB = 1024 * 1024;
  const exceeds = (held: { operations?: number; bytes?: number }, { added = 1, revoked = false } = {}) => {
    const all = { operations: 1, bytes: 1, ...held };
    const ws = { held: () => all, addedToQuarantine: () => ({ operations: added, bytes: 1 }) };
    return exceedsQuota(ws as unknown as WorkingSet, { device: "d", revoked } as unknown as Viewpoint);
  };
  test.each([
    [false, 10_000, 32 * MIB],
    [true, 5_000, 4 * MIB],
  ])("is bounded by number and by bytes; revoked: %s", (revoked, operations, bytes) => {
    expect(exceeds({ operations, bytes }, { revoked })).toBe(false);
    expect(exceeds({ operations: operations + 1 }, { revoked })).toBe(true);
    expect(exceeds({ bytes: bytes + 1 }, { revoked })).toBe(true);
  });
  test("does not stop a push that adds nothing, however much there is", () => {
    for (const added of [0, -1]) expect(exceeds({ operations: 1e6 }, { added })).toBe(false);
  });
  test("is answered as something that people have to do first", () => {
    expect(quarantineFull({ id: "o-1" })).toMatchObject({
      id: "o-1",
      status: "retry",
      error: { code: "quarantine_full", message: expect.stringContaining("people") },
    });
  });
});
