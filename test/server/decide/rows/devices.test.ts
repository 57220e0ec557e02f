import { describe, expect, test } from "vitest";
import { register } from "../../../../src/server/decide/rows/devices.ts";
import { product, ServerWorld, sale } from "../../support/world.ts";

const nobody = { name: undefined, os: undefined, appVersion: undefined };

async function shop() {
  const world = await ServerWorld.open();
  const enrol = (incarnation: string, named: object = {}, more: { firstSequence?: number; branch?: string } = {}) => {
    const principal = { tenant: "shop", scopes: [], branch: more.branch };
    const session = { catalog: world.catalog, principal, device: "till-1", incarnation, receivedAt: world.now };
    const { firstSequence } = more;
    return world.decided({ decide: (ws) => register(ws, session, { named: { ...nobody, ...named }, firstSequence }) });
  };
  const device = async () => (await world.read({ kind: "devices", ids: ["till-1"] }))[0];
  return { world, enrol, device };
}

describe("a device", () => {
  test("keeps what it was called, unless it is called otherwise, and the day that it was first seen", async () => {
    const { world, enrol, device } = await shop();
    const { now } = world;
    await enrol("i-1", { name: "Bar", os: "Android", appVersion: "1" }, { branch: "north" });
    world.now += 1000;
    const again = await enrol("i-1", { appVersion: "2" }, { branch: "south" });
    expect(await device()).toMatchObject({
      name: "Bar",
      os: "Android",
      appVersion: "2",
      branch: "south",
      registeredAt: now,
    });
    expect(again.registeredAt).toBe(now);
    await enrol("i-1", { name: "Till", os: "iOS" });
    expect(await device()).toMatchObject({ name: "Till", os: "iOS", appVersion: "2" });
  });
  test("has a number for each incarnation of its store, and the same one each time [C7]", async () => {
    const { enrol } = await shop();
    expect((await enrol("i-1")).number).toBe(1);
    expect((await enrol("i-2")).number).toBe(2);
    expect((await enrol("i-1")).number).toBe(1);
  });
  test("is known by its first push, too, and when it pushed last", async () => {
    const { world, device } = await shop();
    const till = world.till("till-1", { branch: "north" });
    await till.send(product("p-1"));
    const { now } = world;
    await till.send(product("p-2"));
    expect(await device()).toMatchObject({ branch: "north", lastPushAt: now });
  });
});

describe("what other stores of the device have not sent [M6]", () => {
  test("is told by name, in order, with the numbers that are missing", async () => {
    const { world, enrol } = await shop();
    for (const [incarnation, numbers] of [
      ["i-9", [1, 2, 3]],
      ["i-3", [4, 7]],
    ] as const) {
      const till = world.till(incarnation, { device: "till-1", incarnation });
      Object.assign(till, { device: "till-1" });
      await till.push(...numbers.map((sequence) => ({ ...till.mint(sale(`${incarnation}-${sequence}`)), sequence })));
    }
    const { unsynced, lastSequence } = await enrol("i-5");
    expect(unsynced).toEqual([
      { incarnation: "i-3", lastSequence: 7, missing: 2 },
      { incarnation: "i-9", lastSequence: 3, missing: 0 },
    ]);
    expect(lastSequence).toBe(0);
  });
  test("is counted from the number that the store said it begins with, until something has arrived", async () => {
    const { world, enrol } = await shop();
    await enrol("inc-till-1", {}, { firstSequence: 3 });
    await enrol("inc-till-1", {}, { firstSequence: 2 });
    const till = world.till();
    await till.push({ ...till.mint(sale("s-1")), sequence: 5 });
    await enrol("inc-till-1", {}, { firstSequence: 1 });
    const [row] = await world.read({ kind: "incarnations", device: "till-1", limit: 10 });
    expect(row).toMatchObject({ firstSequence: 2, lastSequence: 5, received: 1 });
    expect((await enrol("other")).unsynced).toEqual([{ incarnation: "inc-till-1", lastSequence: 5, missing: 3 }]);
  });
  test("does not count a number below the first: its clone may have sent it", async () => {
    const { world, enrol } = await shop();
    await enrol("inc-till-1", {}, { firstSequence: 3 });
    const till = world.till();
    await till.push({ ...till.mint(sale("s-1")), sequence: 4 }, { ...till.mint(sale("s-2")), sequence: 1 });
    expect(await world.read({ kind: "incarnations", device: "till-1", limit: 10 })).toMatchObject([
      { firstSequence: 3, lastSequence: 4, received: 1 },
    ]);
    expect((await enrol("other")).unsynced).toMatchObject([{ missing: 1 }]);
  });
});
