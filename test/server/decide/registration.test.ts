import { describe, expect, test } from "vitest";
import { revokeDevice } from "../../../src/server/admin/revoke-device.ts";
import { product, ServerWorld } from "../support/world.ts";

const NEW = { kind: "none" } as const;
const AS_RESTORED = { kind: "restored", observed: "e1" };

describe("where the results of a store begin [C6]", () => {
  test("of a new one: at the end of what is there, none of which it has made", async () => {
    const world = await ServerWorld.open();
    await world.till("other").send(product("p-1"));
    const till = world.till("till");
    till.claim = NEW;
    const { position, lastId } = (await world.clock())!;
    expect(await till.register()).toMatchObject({
      kind: "registered",
      epoch: "e1",
      mark: { upTo: position, position, id: lastId },
    });
  });
  test("of one under whose name something was sent: at the beginning, for its clone may have sent it", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.send(product("p-1"));
    till.claim = NEW;
    expect(await till.register()).toMatchObject({ kind: "registered", mark: undefined });
  });
  test("of one that has an epoch: at the marks that it has", async () => {
    const world = await ServerWorld.open();
    expect(await world.till().register()).toMatchObject({ kind: "registered", mark: undefined });
  });
});

describe("who is let in", () => {
  test("a store with an epoch that is over, and is told which one holds [C8]", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await world.mint("restored");
    till.claim = { kind: "authentic", epoch: "e1", ordinal: 1 };
    expect(await till.register()).toMatchObject({ kind: "registered", epoch: "e2" });
  });
  test("not another shop's store, and nothing of it is written down", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    till.claim = { kind: "other_tenant" };
    expect(await till.register()).toEqual({ kind: "wrong_workspace" });
    expect(await world.read({ kind: "devices", ids: [till.device] })).toEqual([]);
  });
  test("not a revoked device [H6]", async () => {
    const { till } = await revoked();
    expect(await till.register()).toEqual({ kind: "revoked", epoch: "e1" });
  });
  test("a revoked device with another shop's store hears of the shop first, as with a pull", async () => {
    const { till } = await revoked();
    till.claim = { kind: "other_tenant" };
    expect(await till.register()).toEqual({ kind: "wrong_workspace" });
    expect(await till.pull()).toEqual({ kind: "wrong_workspace" });
  });
});

describe("a restore shows first [C8]", () => {
  test("whoever shows it", async () => {
    const world = await ServerWorld.open();
    const backup = world.store.snapshot();
    const till = world.till();
    await till.send(product("p-1"));
    world.store.restore(backup);
    expect(await till.register()).toEqual(AS_RESTORED);
  });
  test("a revoked device, too: what it had sent may be on no server any more", async () => {
    const { world, till } = await revoked();
    const backup = world.store.snapshot();
    await till.send(product("p-2"));
    world.store.restore(backup);
    expect(await till.register()).toEqual(AS_RESTORED);
    expect(await till.pull()).toEqual(AS_RESTORED);
  });
});

async function revoked() {
  const world = await ServerWorld.open();
  const till = world.till();
  await till.send(product("p-1"));
  await revokeDevice({ store: world.store, tenant: "shop", device: till.device });
  return { world, till };
}
