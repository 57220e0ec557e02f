import { describe, expect, test } from "vitest";
import type { FinalResult } from "../../../../src/protocol/types.ts";
import { redactFor } from "../../../../src/server/decide/rows/redact.ts";
import { WorkingSet } from "../../../../src/server/decide/rows/working-set.ts";
import type { Principal } from "../../../../src/server/policy-types.ts";
import { ServerWorld } from "../../support/world.ts";

const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
const data = { branch: "north", cashier: "Ann", drawer: 0 };
const server = { version: 3, data };
const applied: FinalResult = { id: "o", status: "applied", version: 3, data };
const refused: FinalResult = { id: "o", status: "rejected", error: { code: "no", message: "No" }, server };
const inConflict: FinalResult = { id: "o", status: "conflict", conflictId: "o", fields: ["cashier"], server };

async function shown(principal: Partial<Principal>, result: FinalResult, collection = "shifts", more = {}) {
  const { catalog } = await ServerWorld.open(more);
  return redactFor(
    new WorkingSet(undefined),
    { catalog, principal: { tenant: "shop", scopes: [], ...principal } },
    { collection, entityId: "h-1", result },
  );
}

describe("a result that is answered again (L9)", () => {
  test("shows its row to the branch that it was of, and to the head office", async () => {
    for (const result of [applied, refused, inConflict]) {
      expect(await shown({ branch: "north" }, result)).toBe(result);
      expect(await shown({}, result)).toBe(result);
    }
  });
  test("shows another branch nothing of it, and keeps the verdict", async () => {
    const south = { branch: "south" };
    expect(await shown(south, applied)).toEqual({ id: "o", status: "applied", version: 3 });
    expect(await shown(south, refused)).toEqual({ id: "o", status: "rejected", error: { code: "no", message: "No" } });
    expect(await shown(south, inConflict)).toEqual({ ...inConflict, server: { version: 0, deleted: true } });
  });
  test("shows a person who may no longer read nothing of it, nor anybody of a collection that is gone", async () => {
    const guarded = {
      shifts: { scope: { branch: (row: { branch: string }) => row.branch }, allow: { ...allow, read: "hr" } },
    };
    expect(await shown({ branch: "north" }, applied, "shifts", guarded)).not.toHaveProperty("data");
    expect(await shown({ branch: "north", scopes: ["hr"] }, applied, "shifts", guarded)).toBe(applied);
    expect(await shown({}, applied, "coupons")).not.toHaveProperty("data");
  });
  test("of a collection of the whole shop shows its row to every branch", async () => {
    expect(await shown({ branch: "south" }, applied, "products")).toBe(applied);
  });
  test("has no row if the policy can't tell its branch any more", async () => {
    const branch = () => {
      throw new Error("an old schema");
    };
    const broken = { shifts: { scope: { branch }, allow } };
    expect(await shown({ branch: "north" }, applied, "shifts", broken)).not.toHaveProperty("data");
    expect(await shown({}, applied, "shifts", broken)).toBe(applied);
  });
  test("without a row is answered as it is", async () => {
    const deleted: FinalResult = { ...inConflict, server: { version: 3, deleted: true } };
    const aside: FinalResult = { id: "o", status: "quarantined", error: { code: "no", message: "No" } };
    for (const result of [deleted, aside]) expect(await shown({ branch: "south" }, result)).toBe(result);
  });
});
