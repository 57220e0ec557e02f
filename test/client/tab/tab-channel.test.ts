/** Several clients of one store: one of them syncs, and all of them learn what it knows. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { expect, test } from "vitest";
import { inProcess } from "../../../src/client/platform/in-process.ts";
import type { Coordinator } from "../../../src/client/ports/coordinator.ts";
import { indexedDB } from "../../../src/storage/indexeddb/indexeddb.ts";
import { type MemoryAdapter, memory } from "../../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../../support/shop.ts";
import { ClientWorld, listen, operationsIn } from "../support/world.ts";

async function twoTabs(world: ClientWorld, coordinator?: Coordinator) {
  await world.seed("products", { ...tea, stock: 10 });
  const storage = memory();
  const options = { storage, ...(coordinator && { coordinator }) };
  const leader = await world.open(options);
  const follower = world.till(options);
  await follower.start();
  await world.clock.settle();
  return { storage, leader, follower };
}

test("a client that was open before the till was registered knows its number and branch, and writes sales with it", async () => {
  await using world = new ClientWorld();
  const storage = memory();
  world.network.offline();
  const [leader, follower] = [world.till({ storage }), world.till({ storage })];
  await Promise.all([leader.start(), follower.start()]);
  world.network.online();
  await world.clock.advance(60_000);
  expect((await follower.device()).number).toBe((await leader.device()).number);
  expect((await follower.device()).number).toBeDefined();
  follower.pause("night");
  leader.pause("night");
  await follower.collections.sales.create(saleOf(1, 1));
  expect(operationsIn(storage)).toMatchObject([{ branch: "main" }]);
});

test("a client that waits for its turn shows the status of the one that has it", async () => {
  await using world = new ClientWorld();
  const { leader, follower } = await twoTabs(world);
  expect(follower.status.phase).toBe("online");
  world.network.offline();
  await follower.collections.sales.create(saleOf(1, 1));
  await world.clock.advance(1_000);
  expect(leader.status).toMatchObject({ phase: "offline", cause: "unreachable" });
  expect(follower.status).toMatchObject({ phase: "offline", cause: "unreachable", pending: { count: 1 } });
  expect(follower.status).toHaveProperty("retryAt", (leader.status as { retryAt?: number }).retryAt);
});

test("a signed-out till says so in every tab", async () => {
  await using world = new ClientWorld();
  const { follower } = await twoTabs(world);
  const told = listen(follower, "auth_required");
  world.token = "bad";
  await world.clock.advance(60_000);
  expect(follower.status).toMatchObject({ phase: "action_needed", cause: "auth_required" });
  expect(told.of("auth_required")).toEqual([{ cause: "refused" }]);
});

test("sync() of a client that waits is a round of the one that has the turn, and says what came of it", async () => {
  await using world = new ClientWorld();
  const { follower } = await twoTabs(world);
  world.network.offline();
  await follower.collections.sales.create(saleOf(1, 1));
  await world.clock.advance(1_000);
  expect(await follower.sync()).toMatchObject({ outcome: "offline", remaining: 1 });
  world.network.online();
  expect(await follower.sync()).toMatchObject({ outcome: "done", remaining: 0 });
  expect(await world.rows("sales")).toHaveLength(1);
});

test("sync() of a client that waits is not answered by what the other one said of the round before", async () => {
  await using world = new ClientWorld();
  const idle = { kind: "leading", sync: { kind: "online", lanes: { push: "idle", pull: "idle" } }, from: "another" };
  const coordinator: Coordinator = {
    ...inProcess,
    broadcast(scope, message) {
      if (message.kind !== "wake") return inProcess.broadcast(scope, message);
      inProcess.broadcast(scope, idle);
      void world.clock.sleep(100).then(() => inProcess.broadcast(scope, message));
    },
  };
  const { follower } = await twoTabs(world, coordinator);
  world.network.offline();
  await follower.collections.sales.create(saleOf(1, 1));
  await world.clock.advance(1_000);
  const round = follower.sync();
  await world.clock.advance(500);
  expect(await round).toMatchObject({ outcome: "offline", remaining: 1 });
});

test("sync() of a client that no other one answers says that nothing was reached", async () => {
  await using world = new ClientWorld();
  const deaf: Coordinator = {
    ...inProcess,
    broadcast: (scope, message) => message.kind !== "wake" && inProcess.broadcast(scope, message),
  };
  const { follower } = await twoTabs(world, deaf);
  await follower.collections.sales.create(saleOf(1, 1));
  await world.clock.settle();
  const round = follower.sync();
  await world.clock.advance(31_000);
  expect(await round).toMatchObject({ outcome: "offline", cause: "unreachable" });
});

test("what a newer version of the app says in words of its own is ignored", async () => {
  await using world = new ClientWorld();
  const { leader, follower, storage } = await twoTabs(world);
  const told = listen(follower, "error");
  const before = [leader.status, follower.status];
  const requests = world.network.requests.length;
  inProcess.broadcast(storage.scope("test-shop"), { kind: "of a later version", from: "another" });
  await world.clock.settle();
  expect([leader.status, follower.status]).toEqual(before);
  expect([told.heard, world.network.requests.length - requests]).toEqual([[], 0]);
});

test("the server's clock is known to every tab", async () => {
  await using world = new ClientWorld();
  const { leader, follower } = await twoTabs(world);
  expect(follower.status.clock).toEqual(leader.status.clock);
  expect(follower.status.clock.confidence).toBe("high");
});

test("what no message told is found by looking, within the interval", async () => {
  await using world = new ClientWorld();
  const deaf: Coordinator = { ...inProcess, reliable: false, broadcast() {}, subscribe: () => () => {} };
  const { leader, follower } = await twoTabs(world, deaf);
  const seen: number[] = [];
  follower.collections.sales.watch({ limit: 10 }, ({ rows }) => seen.push(rows.length));
  await world.clock.settle();
  await leader.collections.sales.create(saleOf(1, 1));
  await world.clock.settle();
  expect(seen.at(-1)).toBe(0);
  await world.clock.advance(30_000);
  expect(seen.at(-1)).toBe(1);
  expect(follower.status.pending.count).toBe(leader.status.pending.count);
});

test("sales that share a commit are told in one word, and read again once", async () => {
  await using world = new ClientWorld();
  const words: unknown[] = [];
  const coordinator: Coordinator = {
    ...inProcess,
    broadcast(scope, message) {
      if (message.kind === "changed") words.push(message);
      inProcess.broadcast(scope, message);
    },
  };
  const storage = indexedDB({ factory: new IDBFactory() }) as unknown as MemoryAdapter;
  const options = { storage, coordinator };
  const [leader, follower] = [world.till(options), world.till(options)];
  await leader.start();
  leader.pause("night");
  await follower.start();
  const before = words.length;
  const sales = Array.from({ length: 200 }, (_, at) => leader.collections.sales.create(saleOf(1, at)));
  await Promise.all(sales);
  await expect.poll(() => follower.status.pending.count).toBe(200);
  expect(words.length - before).toBe(Math.ceil(200 / 64));
});

test("a page that is about to stand still gives its turn away, and asks for it again when it goes on", async () => {
  await using world = new ClientWorld();
  const storage = memory();
  let hint: (hint: "frozen" | "resumed") => void = () => {};
  const connectivity = {
    "~port": "connectivity" as const,
    online: () => true,
    subscribe(listener: typeof hint) {
      hint = listener;
      return () => {};
    },
  };
  const page = await world.open({ storage, connectivity });
  const other = world.till({ storage });
  await other.start();
  await world.clock.settle();
  hint("frozen");
  await world.clock.settle();
  const before = world.network.requests.length;
  await other.collections.sales.create(saleOf(1, 1));
  await world.clock.advance(1_000);
  expect(world.paths(before)).toContain("push");
  expect(await world.rows("sales")).toHaveLength(1);
  await other.close();
  hint("resumed");
  await world.clock.advance(1_000);
  expect(page.status.phase).toBe("online");
});
