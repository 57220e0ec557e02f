import { describe, expect, test } from "vitest";
import { mintEpoch } from "../../../src/server/decide/epoch.ts";
import { memoryStore } from "../../../src/server/memory/index.ts";
import { product, ServerWorld } from "../support/world.ts";

const lost = { epoch: "e-lost", ordinal: 7 };
const mint = (world: ServerWorld, observed: string | undefined, epoch: string) =>
  world.decided({
    decide: (ws) =>
      mintEpoch(ws, {
        observed,
        epoch,
        ordinal: 9,
        commitId: `c-${epoch}`,
        seen: 0,
        now: world.now,
        reason: "restored",
      }),
  });

describe("a new epoch [C8]", () => {
  test("is in the books, and the operator reads of a restore as of an error", async () => {
    const world = await ServerWorld.open();
    await world.mint("restored");
    const clock = await world.clock();
    expect(await world.read({ kind: "commits", ids: [clock?.lastId ?? ""] })).toMatchObject([
      { id: "epoch-2", kind: "epoch", position: clock?.epochStart, at: world.now },
    ]);
    expect(world.logged.map(({ level, fields }) => [level, fields])).toEqual([
      ["info", { reason: "first", ordinal: 1 }],
      ["error", { reason: "restored", ordinal: 2 }],
    ]);
  });
  test("is minted once, though two requests notice the restore: the second is told which holds", async () => {
    const world = await ServerWorld.open();
    expect(await mint(world, "e1", "e-a")).toBe("e-a");
    const clock = await world.clock();
    expect(await mint(world, "e1", "e-b")).toBe("e-a");
    expect(await world.clock()).toEqual(clock);
    expect((await world.read({ kind: "epochs" })).map(({ epoch }) => epoch)).toEqual(["e1", "e-a"]);
  });
  test("of a restore skips the numbers of devices that the lost history may have given out [C8.9]; the first does not", async () => {
    const world = await ServerWorld.open();
    expect((await world.clock())?.deviceNumber).toBe(0);
    await world.till().send(product("p-1"));
    await world.mint("first");
    expect((await world.clock())?.deviceNumber).toBe(1);
    await world.mint("restored");
    expect((await world.clock())?.deviceNumber).toBe(101);
  });
  test("keeps the name of the lost one: no other till of it causes another epoch", async () => {
    const world = await ServerWorld.open();
    const tills = ["a", "b"].map((name) => world.till(name));
    for (const till of tills) till.claim = { kind: "authentic", ...lost };
    expect(await tills[0]?.outcome([])).toMatchObject({ kind: "restored" });
    await world.mint("restored", 0, lost);
    for (const till of tills) expect(await till.outcome([])).toEqual({ kind: "stale", epoch: world.epoch });
    expect(await world.read({ kind: "epochs" })).toContainEqual({
      ...lost,
      start: 0,
      at: expect.any(Number),
      reason: "restored",
    });
  });
  test("keeps the row of an epoch that it has, if that is named as lost", async () => {
    const world = await ServerWorld.open();
    const before = await world.read({ kind: "epochs" });
    await world.mint("restored", 0, { epoch: "e1", ordinal: 1 });
    expect((await world.read({ kind: "epochs" })).filter(({ epoch }) => epoch === "e1")).toEqual(before);
  });
});

test("a server without any epoch admits nobody before it has one [C8]", async () => {
  const world = await ServerWorld.open();
  world.store.restore(memoryStore().snapshot());
  const none = { kind: "restored", observed: undefined };
  expect(await world.till().pull()).toEqual(none);
  expect(await world.till().register()).toEqual(none);
});
