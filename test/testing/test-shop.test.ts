/** What an app's tests rely on: the shop in one process does what it is told. */
import { createTestShop, type TestShopOptions } from "tillsync/testing";
import { describe, expect, test } from "vitest";
import { collections, saleOf, tea } from "../support/shop.ts";

describe("the next verdict", () => {
  const policies: NonNullable<TestShopOptions<typeof collections>["policies"]> = {
    products: {
      scope: "tenant",
      allow: { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" },
      decide: () => ({ outcome: "applied", flags: [{ code: "own_policy" }] }),
    },
    sales: {
      scope: "tenant",
      allow: { read: "everyone", create: "everyone" },
      // Of a row that nothing foresees: the decision is run once more, and must come to the same.
      decide: () => ({
        outcome: "applied",
        flags: [{ code: "own_policy" }],
        effects: [{ collection: "customers", id: "c-1", increment: { points: 1 } }],
      }),
    },
  };

  test.each([
    ["the shop's own policies", undefined],
    ["policies that were handed in", policies],
  ])("counts with %s, once", async (_, own) => {
    await using shop = createTestShop({ collections, policies: own });
    const till = shop.till();
    await till.start();
    shop.server.rejectNext("products", { code: "price_locked", message: "Not today" });
    shop.server.quarantineNext("sales", { code: "shift_closed", message: "The shift is closed" });
    await till.collections.products.create(tea);
    await till.collections.products.create({ ...tea, id: "p-2" });
    await till.collections.sales.create({ ...saleOf(1, 0), id: "s-1" });
    await till.collections.sales.create({ ...saleOf(1, 0), id: "s-2" });
    await shop.clock.advance(10_000);
    const settled = await Promise.all([
      ...["p-1", "p-2"].map((id) => till.collections.products.settled(id)),
      ...["s-1", "s-2"].map((id) => till.collections.sales.settled(id)),
    ]);
    expect(settled).toMatchObject([
      { state: "rejected", reason: { code: "price_locked" } },
      { state: "applied" },
      { state: "quarantined", reason: { code: "shift_closed" } },
      { state: "applied" },
    ]);
    expect((await shop.server.rows("products")).map(({ id }) => id)).toEqual(["p-2"]);
    expect((await shop.server.rows("sales")).map(({ id }) => id)).toEqual(["s-2"]);
  });

  test("leaves the other operations to the policy", async () => {
    await using shop = createTestShop({ collections, policies });
    const till = shop.till();
    await till.start();
    await till.collections.products.create(tea);
    await shop.clock.advance(10_000);
    expect(await till.collections.products.settled("p-1")).toMatchObject({ flags: [{ code: "own_policy" }] });
  });
});

describe("a transport", () => {
  const call = (device: string) => ({
    device,
    requestId: "019a9f3c-6a10-7000-8000-00000000a000",
    signal: new AbortController().signal,
  });
  const register = (device: string) => ({
    device: { id: device, incarnation: "019a0000-1f00-7000-8000-00000000001c" },
    schemaVersion: 1,
  });

  test("of a device speaks for no other", async () => {
    await using shop = createTestShop({ collections });
    const transport = shop.transport("till-1");
    expect(await transport.register(register("till-1"), call("till-1"))).toMatchObject({
      ok: true,
      value: { device: { id: "till-1" } },
    });
    expect(await transport.register(register("till-2"), call("till-2"))).toMatchObject({
      ok: false,
      failure: { kind: "refused", code: "device_mismatch" },
    });
  });

  test("of nobody in particular speaks for any", async () => {
    await using shop = createTestShop({ collections });
    const transport = shop.transport();
    for (const device of ["till-1", "till-2"])
      expect(await transport.register(register(device), call(device))).toMatchObject({ ok: true });
  });
});
