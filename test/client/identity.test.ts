/** To whom a store belongs: tokens, other shops, revoked devices, copies of a disk, disks that were put back. */
import { describe, expect, test } from "vitest";
import { revokeDevice } from "../../src/server/admin/revoke-device.ts";
import { memory } from "../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../support/shop.ts";
import { bothCounts, ClientWorld, listen, metaIn, NAME, operationsIn, TENANT, type Till } from "./support/world.ts";

interface StoredIdentity {
  readonly deviceId: string;
  readonly incarnation: string;
  readonly number?: number;
}
const identityIn = (storage: ReturnType<typeof memory>) => metaIn<StoredIdentity>(storage, "identity");
function copyOf(storage: ReturnType<typeof memory>): ReturnType<typeof memory> {
  const copy = memory();
  copy.restore(NAME, storage.snapshot(NAME));
  return copy;
}

describe("a device", () => {
  test("has an id and an incarnation from its first moment, and a number from its first contact", async () => {
    await using world = new ClientWorld();
    world.network.offline();
    const till = world.till({ device: { id: "till-1", name: "Front" } });
    expect(await till.device()).toEqual({
      id: "till-1",
      incarnation: expect.any(String),
      name: "Front",
      number: undefined,
    });
    world.network.online();
    await world.clock.advance(60_000);
    expect((await till.device()).number).toBe(1);
  });

  test("keeps them, whatever the app calls it later", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const first = await world.open({ storage, device: { id: "till-1" } });
    const before = await first.device();
    await first.close();
    const after = await (await world.open({ storage, device: { id: "till-2" } })).device();
    expect([after.id, after.incarnation, after.number]).toEqual([before.id, before.incarnation, before.number]);
  });

  test("is told where its store was lost with work in it [M11]", async () => {
    await using world = new ClientWorld();
    const first = await world.open({ device: { id: "till-1" } });
    await first.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(1_000);
    await first.close();
    const fresh = world.till({ device: { id: "till-1" } });
    const told = listen(fresh, "storage_lost");
    await fresh.start();
    await world.clock.advance(60_000);
    expect(told.heard).toEqual([{ event: "storage_lost", payload: { lastKnownSequence: 1, missing: undefined } }]);
  });
});

describe("signed out", () => {
  test("nothing is sent, nothing is lost, and the till goes on selling", async () => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const till = await world.open();
    world.token = undefined;
    await till.collections.products.increment("p-1", { stock: -1 });
    await world.clock.advance(600_000);
    expect([till.status.phase, till.status.pending.count, (await till.collections.products.get("p-1"))?.stock]).toEqual(
      ["action_needed", 1, 9],
    );
    expect((await till.operations.list())[0]?.attempts).toBe(0);
  });

  test("and in again: it is found out by itself, and all is sent", async () => {
    await using world = new ClientWorld();
    const till = await world.open();
    world.token = undefined;
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(60_000);
    world.token = "good";
    await world.clock.advance(60_000);
    expect(till.status).toMatchObject({ phase: "online", pending: { count: 0 } });
  });

  test("a token that can't be had now is an outage, not a sign-out", async () => {
    await using world = new ClientWorld();
    const till = await world.open();
    const told = listen(till, "auth_required");
    world.token = () => {
      throw new Error("the refresh needs a network");
    };
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(60_000);
    expect([till.status.phase, told.heard]).toEqual(["offline", []]);
    world.token = "good";
    await world.clock.advance(120_000);
    expect(till.status).toMatchObject({ phase: "online", pending: { count: 0 } });
  });
});

describe("a token of another shop", () => {
  test("is refused by the till that was there before: nothing is pushed, pulled or wiped", async () => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const storage = memory();
    const first = await world.open({ storage });
    world.network.offline();
    await first.collections.sales.create(saleOf(1, 1));
    await world.clock.settle();
    await first.close();
    world.network.online();
    world.principal = (_, device) => ({ tenant: "t-2", branch: "main", device, scopes: ["sync"] });
    const rows = storage.snapshot(NAME).tables["c:products"];
    const from = world.network.requests.length;
    const second = world.till({ storage });
    await second.start();
    await world.clock.advance(120_000);
    expect(second.status).toMatchObject({ phase: "action_needed", cause: "wrong_workspace", pending: { count: 1 } });
    expect([...new Set(world.paths(from))]).toEqual(["register"]);
    expect(storage.snapshot(NAME).tables["c:products"]).toEqual(rows);
  });

  test("of another branch is refused too", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    await (await world.open({ storage })).close();
    world.principal = (_, device) => ({ tenant: TENANT, branch: "airport", device, scopes: ["sync"] });
    const second = world.till({ storage });
    expect(await second.sync()).toMatchObject({ outcome: "action_needed", cause: "wrong_workspace" });
  });

  test("gone again, the till goes on", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const till = await world.open({ storage });
    const mine = world.principal;
    await till.close();
    world.principal = (_, device) => ({ tenant: "t-2", branch: "main", device, scopes: ["sync"] });
    const second = world.till({ storage });
    await second.start();
    await second.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(60_000);
    world.principal = mine;
    await world.clock.advance(60_000);
    expect([second.status.phase, (await world.rows("sales")).length]).toEqual(["online", 1]);
  });
});

describe("a device that was revoked", () => {
  const revoked = async (
    run: (till: Till, world: ClientWorld, storage: ReturnType<typeof memory>) => Promise<void>,
  ) => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const storage = memory();
    const till = await world.open({ storage, device: { id: "till-1" } });
    world.network.offline();
    await till.collections.sales.create(saleOf(1, 1));
    await revokeDevice({ store: world.store, tenant: TENANT, device: "till-1", clock: world.clock });
    world.network.online();
    await world.clock.advance(120_000);
    await run(till, world, storage);
  };

  test("says so, and hands over what it holds, into quarantine [H6]", () =>
    revoked(async (till, world, storage) => {
      expect(till.status).toMatchObject({ phase: "action_needed", cause: "device_revoked", pending: { count: 0 } });
      expect(operationsIn(storage).map(({ state, error }) => [state, error?.code])).toEqual([
        ["quarantined", "device_revoked"],
      ]);
      expect(((await world.office("quarantine")) as { quarantined: unknown[] }).quarantined).toHaveLength(1);
    }));

  test("keeps its sale in view (L11)", () =>
    revoked(async (till) => {
      expect(await till.collections.sales.count()).toBe(1);
    }));

  test("and let in again: it goes on, and the sale is released at the office", () =>
    revoked(async (till, world, storage) => {
      await revokeDevice({ store: world.store, tenant: TENANT, device: "till-1", revoked: false, clock: world.clock });
      const [kept] = await till.operations.list({ state: "quarantined" });
      await world.office(`quarantine/${kept?.id}/release`, {});
      await world.clock.advance(120_000);
      expect([till.status.phase, till.status.attention.quarantined, (await world.rows("sales")).length]).toEqual([
        "online",
        0,
        1,
      ]);
      expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
    }));
});

describe("a copy of a disk: two tills that think they are one [C7]", () => {
  const cloned = async (
    run: (
      a: Till,
      b: Till,
      world: ClientWorld,
      told: ReturnType<typeof listen>,
      disks: ReturnType<typeof memory>[],
    ) => Promise<void>,
  ) => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const disk = memory();
    const a = await world.open({ storage: disk, device: { id: "till-1" } });
    await a.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(1_000);
    const copy = copyOf(disk);
    const b = world.till({ storage: copy, device: { id: "till-1" } });
    const told = listen(b, "identity_forked", "storage_lost", "error");
    world.network.offline();
    await b.start();
    await a.collections.sales.create(saleOf(1, 2));
    await b.collections.sales.create(saleOf(1, 3));
    world.network.online();
    await world.clock.advance(120_000);
    await run(a, b, world, told, [disk, copy]);
  };

  test("one of them becomes another incarnation, and tells it (L10)", () =>
    cloned(async (a, b, _, told, disks) => {
      expect(told.of("identity_forked")).toHaveLength(1);
      expect([(await a.device()).id, (await b.device()).id]).toEqual(["till-1", "till-1"]);
      expect(identityIn(disks[0] as never)?.incarnation).not.toBe(identityIn(disks[1] as never)?.incarnation);
    }));

  test("all sales of both are there, each once, and both tills see them", () =>
    cloned(async (a, b, world) => {
      expect((await world.rows("sales")).map(({ soldAt }) => soldAt).sort()).toEqual([1, 2, 3]);
      await world.clock.advance(120_000);
      expect([await a.collections.sales.count(), await b.collections.sales.count()]).toEqual([3, 3]);
      expect([a.status.pending.count, b.status.pending.count]).toEqual([0, 0]);
    }));

  test("they print different numbers", () =>
    cloned(async (a, b) => {
      expect((await a.device()).number).not.toBe((await b.device()).number);
    }));

  test("sequence numbers go on, and no operation gets another id", () =>
    cloned(async (_a, _b, _world, _told, disks) => {
      expect(operationsIn(disks[1] as never).map(({ sequence }) => sequence)).toEqual([1, 2]);
    }));
});

describe("a disk that was put back to yesterday's [C7] (L10)", () => {
  const rolledBack = async (
    run: (
      till: Till,
      world: ClientWorld,
      told: ReturnType<typeof listen>,
      storage: ReturnType<typeof memory>,
    ) => Promise<void>,
  ) => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const storage = memory();
    const before = await world.open({ storage, device: { id: "till-1" } });
    await before.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(1_000);
    const yesterday = copyOf(storage);
    await before.collections.products.increment("p-1", { stock: -1 });
    await before.collections.sales.create(saleOf(1, 2));
    await world.clock.advance(1_000);
    await before.close();
    const till = world.till({ storage: yesterday, device: { id: "till-1" } });
    const told = listen(till, "storage_lost", "identity_forked", "error");
    await till.start();
    await till.collections.sales.create(saleOf(1, 3));
    await world.clock.advance(120_000);
    await run(till, world, told, yesterday);
  };

  test("is found out at the first contact, and told with what is missing", () =>
    rolledBack(async (_till, _world, told) => {
      expect(told.heard).toEqual([
        { event: "storage_lost", payload: { lastKnownSequence: 3, missing: expect.any(Number) } },
        {
          event: "identity_forked",
          payload: { oldIncarnation: expect.any(String), newIncarnation: expect.any(String) },
        },
      ]);
    }));

  test("costs no sale, and makes none twice", () =>
    rolledBack(async (till, world) => {
      expect((await world.rows("sales")).map(({ soldAt }) => soldAt).sort()).toEqual([1, 2, 3]);
      expect((await till.collections.sales.find()).map(({ soldAt }) => soldAt).sort()).toEqual([1, 2, 3]);
      expect((await till.collections.products.get("p-1"))?.stock).toBe(9);
      expect(till.status).toMatchObject({ phase: "online", pending: { count: 0 } });
    }));
});
