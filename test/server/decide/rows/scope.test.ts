import { describe, expect, test } from "vitest";
import { branchOf } from "../../../../src/server/decide/rows/scope.ts";
import { edit, ServerWorld } from "../../support/world.ts";

const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
const shift = { action: "create", collection: "shifts", entityId: "h-1", data: { branch: "north", cashier: "Ann" } };

describe("the branch that a policy gives a row", () => {
  test.each<[string, () => unknown]>([
    ["a number", () => 5],
    ["what it could not find out", () => JSON.parse("no branch")],
  ])("%s: the policy has failed, the edit comes again, and the log says where", async (_what, branch) => {
    const world = await ServerWorld.open({ shifts: { scope: { branch }, allow } } as never);
    expect(await world.till().send(shift)).toMatchObject({ status: "retry", error: { code: "policy_failed" } });
    expect(world.logged.at(-1)).toMatchObject({
      level: "error",
      fields: { collection: "shifts", member: "scope.branch" },
    });
    expect(await world.row("shifts", "h-1")).toBeUndefined();
  });
  test.each<[string, () => unknown]>([
    ["undefined", () => undefined],
    ["null", () => null],
  ])("%s: the row is the whole shop's, and every branch writes it", async (_what, branch) => {
    const world = await ServerWorld.open({ shifts: { scope: { branch }, allow } } as never);
    const till = world.till("s", { branch: "south" });
    expect(await till.send(shift)).toMatchObject({ status: "applied" });
    expect((await world.row("shifts", "h-1"))?.scope).toBe("");
    expect(await till.send({ ...edit("h-1", 2 ** 52, { cashier: "Bob" }), collection: "shifts" })).toMatchObject({
      status: "applied",
    });
  });
});

test("people of the branch decide about an operation that it names; otherwise those of its token's", () => {
  const of = (branch: unknown, sentFrom?: string) => branchOf({ operation: { branch } as never, sentFrom });
  expect(of("south", "north")).toBe("south");
  for (const nothing of [undefined, "", 5]) expect(of(nothing, "north")).toBe("north");
  expect(branchOf({ operation: undefined, sentFrom: "north" })).toBe("north");
  expect(of(undefined)).toBe("");
});
