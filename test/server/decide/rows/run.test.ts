import { expect, test } from "vitest";
import { asScript, DecisionFailure, runDecision, TooMuchLoaded } from "../../../../src/server/decide/rows/run.ts";
import type { WorkingSet } from "../../../../src/server/decide/rows/working-set.ts";
import { clockRow, recordRow } from "../../../../src/server/testing/rows.ts";
import { product, ServerWorld } from "../../support/world.ts";

test("a defect in a decision is told apart from a failure of the store, with its cause", async () => {
  const world = await ServerWorld.open();
  const bug = new Error("bug 9");
  const fail = () => {
    throw bug;
  };
  for (const decision of [{ decide: fail }, { prefetch: fail, decide: () => 1 }]) {
    const error = await world.store.transact("shop", asScript(decision)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DecisionFailure);
    expect(error).toMatchObject({ name: "DecisionFailure", cause: bug, message: expect.stringContaining("bug 9") });
  }
});

test("what a run wrote or logged before it lacked a row is forgotten: the next one begins anew", async () => {
  const world = await ServerWorld.open();
  await world.till().send(product("p-1"));
  let runs = 0;
  const decide = (ws: WorkingSet) => {
    runs += 1;
    ws.log("info", "A run", { runs });
    ws.putCommit({ id: `c-${runs}`, position: ws.take(`c-${runs}`), kind: "release", actor: undefined, at: 1 });
    return ws.record("products", "p-1")?.data.name;
  };
  const before = (await world.clock())?.position ?? 0;
  expect(await world.decided({ decide })).toBe("Cola");
  expect(world.logged.filter(({ message }) => message === "A run")).toMatchObject([{ fields: { runs: 2 } }]);
  expect(await world.clock()).toMatchObject({ position: before + 1, lastId: "c-2" });
  expect(await world.read({ kind: "commits", ids: ["c-1"] })).toEqual([]);
});

test("a decision that lacks rows for ever is ended as a defect", async () => {
  const world = await ServerWorld.open();
  let asked = 0;
  const decide = (ws: WorkingSet) => {
    asked += 1;
    return ws.operation(`o-${asked}`);
  };
  await expect(world.decided({ decide })).rejects.toThrow("lacked rows");
  expect(asked).toBe(100);
});

test("a decision that wants more rows in memory than it may ends before it has all of them", () => {
  const ids = Array.from({ length: 500 }, (_, n) => `p-${n}`);
  const script = runDecision({
    maxBytes: 100_000,
    decide: (ws) => {
      for (const id of ids) ws.record("products", id);
    },
  });
  script.next();
  let step = script.next([clockRow(1)]);
  let rows = 0;
  const answerNext = () => {
    const [request] = step.value as readonly { readonly keys: readonly { readonly id: string }[] }[];
    rows += request?.keys.length ?? 0;
    step = script.next([request?.keys.map(({ id }) => recordRow(id, 1, { data: { note: "x".repeat(1_000) } }))]);
  };
  expect(() => {
    while (step.done !== true) answerNext();
  }).toThrow(TooMuchLoaded);
  // A round brings 64.
  expect(rows).toBe(128);
});
