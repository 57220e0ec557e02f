/** The status: every phase with its own fields, and the same object until something changes. */
import { describe, expect, test } from "vitest";
import { memory } from "../../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../../support/shop.ts";
import { ClientWorld, listen, type Till, type TillOptions } from "../support/world.ts";

async function shop(run: (till: Till, world: ClientWorld) => Promise<void>, options: TillOptions = {}): Promise<void> {
  await using world = new ClientWorld();
  await world.seed("products", { ...tea, stock: 10 });
  await run(await world.open(options), world);
}
/** Each phase once, in the order in which they were shown. */
const phases = (told: ReturnType<typeof listen>) => {
  const all = told.of<{ phase: string }>("status").map(({ phase }) => phase);
  return all.filter((phase, index) => phase !== all[index - 1]);
};

describe("the phase", () => {
  test("stopped: nobody has begun", async () => {
    await using world = new ClientWorld();
    expect(world.till().status).toMatchObject({ phase: "stopped", pending: { count: 0 }, lastPullAt: undefined });
  });

  test("opening, then first_sync, then online: a new till", async () => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const till = world.till();
    const told = listen(till, "status");
    await till.start();
    await world.clock.advance(1_000);
    expect(phases(told)).toEqual(["opening", "first_sync", "online"]);
  });

  test("first_sync: what has come, and what is waited for", async () => {
    await using world = new ClientWorld();
    await world.seed("products", ...Array.from({ length: 1_200 }, (_, n) => ({ ...tea, id: `p-${n}` })));
    const till = world.till();
    const told = listen(till, "status");
    await till.start();
    await world.clock.advance(1_000);
    const progress = told
      .of<{ phase: string; progress?: { received: number; waitingFor: readonly string[] } }>("status")
      .flatMap((status) => status.progress ?? []);
    expect(progress[0]).toMatchObject({ received: 0, waitingFor: ["products", "customers", "sales", "payments"] });
    expect(progress.at(-1)).toMatchObject({
      received: 1_000,
      expected: 1_200,
      waitingFor: expect.arrayContaining(["products"]),
    });
  });

  test("online: at rest, pulling, pushing", () =>
    shop(async (till, world) => {
      const told = listen(till, "status");
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(60_000);
      const activities = told.of<{ activity?: string }>("status").map(({ activity }) => activity);
      expect([...new Set(activities)].sort()).toEqual(["idle", "pulling", "pushing"]);
      expect(till.status).toMatchObject({ phase: "online", activity: "idle" });
    }));

  test("offline, unreachable: and when it will be tried again", () =>
    shop(async (till, world) => {
      world.network.offline();
      await world.clock.advance(30_000);
      const { status } = till;
      if (status.phase !== "offline") throw new Error(status.phase);
      expect(status.cause).toBe("unreachable");
      const tries = world.network.requests.length;
      await world.clock.advance((status.retryAt ?? 0) - world.clock.now() - 1);
      expect(world.network.requests).toHaveLength(tries);
      await world.clock.advance(1);
      expect(world.network.requests.length).toBeGreaterThan(tries);
    }));

  test("offline from the first failure on, however often it tries: also a till that was opened without a network", async () => {
    await using world = new ClientWorld();
    world.network.offline();
    const till = world.till();
    const told = listen(till, "status");
    await till.start();
    await world.clock.advance(60_000);
    expect(world.network.requests.length).toBeGreaterThan(2);
    expect(phases(told)).toEqual(["opening", "first_sync", "offline"]);
  });

  test("offline, no_network: where the platform says that there is no interface", async () => {
    await using world = new ClientWorld();
    const connectivity = { "~port": "connectivity" as const, online: () => false, subscribe: () => () => {} };
    const till = await world.open({ connectivity });
    world.network.offline();
    await world.clock.advance(30_000);
    expect(till.status).toMatchObject({ phase: "offline", cause: "no_network" });
  });

  test("offline as soon as the platform says so and a request confirms it, with nothing to send and long before the next poll", async () => {
    await using world = new ClientWorld();
    let online = true;
    let hint: (what: "offline") => void = () => {};
    const connectivity = {
      "~port": "connectivity" as const,
      online: () => online,
      subscribe(listener: typeof hint) {
        hint = listener;
        return () => {};
      },
    };
    const till = await world.open({ connectivity });
    await world.clock.advance(1_000);
    expect(till.status.phase).toBe("online");
    world.network.offline();
    online = false;
    hint("offline");
    await world.clock.settle();
    expect(till.status).toMatchObject({ phase: "offline", cause: "no_network" });
  });

  test("online, whatever the platform says, while the server answers", async () => {
    await using world = new ClientWorld();
    const connectivity = { "~port": "connectivity" as const, online: () => false, subscribe: () => () => {} };
    const till = await world.open({ connectivity });
    expect(till.status.phase).toBe("online");
  });

  test("offline, server_error", () =>
    shop(async (till, world) => {
      for (let n = 0; n < 2; n += 1) world.network.answerNext(502);
      await till.sync();
      expect(till.status).toMatchObject({ phase: "offline", cause: "server_error" });
    }));

  test("offline, device_error: the server has answered, and the device could not store it", async () => {
    let isFull = false;
    const storage = memory({
      faults: {
        before({ kind, label }) {
          if (isFull && kind === "commit" && label === "answer") throw new Error("no space");
        },
      },
    });
    await shop(
      async (till, world) => {
        const told = listen(till, "error");
        isFull = true;
        await world.seed("products", { ...tea, id: "p-2" });
        expect(await till.sync()).toMatchObject({ outcome: "offline", cause: "device_error" });
        expect(till.status).toMatchObject({ phase: "offline", cause: "device_error" });
        expect(told.heard.length).toBeGreaterThan(0);
        isFull = false;
        await world.clock.advance(120_000);
        expect(till.status.phase).toBe("online");
      },
      { storage },
    );
  });

  test("offline, throttled: not before the server's time", () =>
    shop(async (till, world) => {
      for (let n = 0; n < 2; n += 1) world.network.answerNext(429, "", { "retry-after": "20" });
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.settle();
      await till.sync();
      const { status } = till;
      if (status.phase !== "offline") throw new Error(status.phase);
      expect([status.cause, (status.retryAt ?? 0) > world.clock.now() + 20_000]).toEqual(["throttled", true]);
    }));

  test("offline, unreachable: a captive portal's friendly 200", () =>
    shop(async (till, world) => {
      for (let n = 0; n < 2; n += 1)
        world.network.answerNext(200, "<html>Welcome!</html>", { "content-type": "text/html" });
      await till.sync();
      expect(till.status).toMatchObject({ phase: "offline", cause: "unreachable" });
    }));

  test("paused: for which reasons", () =>
    shop(async (till) => {
      till.pause("forced_offline");
      till.pause("roaming");
      expect(till.status).toMatchObject({ phase: "paused", reasons: ["forced_offline", "roaming"] });
    }));

  test("action_needed: somebody must sign in", () =>
    shop(async (till, world) => {
      world.token = undefined;
      await till.sync();
      expect(till.status).toMatchObject({ phase: "action_needed", cause: "auth_required" });
    }));

  test("action_needed: the app is too old for the server", () =>
    shop(async (till, world) => {
      const problem = { type: "x", title: "x", status: 426, detail: "x", code: "protocol_unsupported", requestId: "x" };
      const transport = world.transport();
      const refusing = {
        ok: false as const,
        failure: {
          kind: "refused" as const,
          code: "protocol_unsupported" as const,
          status: 426,
          detail: problem.detail,
        },
      };
      await till.close();
      const other = world.till({ transport: { ...transport, register: async () => refusing } });
      await other.sync();
      expect(other.status).toMatchObject({ phase: "action_needed", cause: "protocol_unsupported" });
    }));

  test("failed: the store could not be opened; and no longer, when it could", async () => {
    await using world = new ClientWorld();
    let broken = true;
    const storage = memory({
      faults: {
        before({ kind }) {
          if (broken && kind === "open") throw new Error("no disk");
        },
      },
    });
    const till = world.till({ storage });
    await expect(till.start()).rejects.toThrow("no disk");
    expect(till.status).toMatchObject({ phase: "failed", error: { code: "internal" } });
    broken = false;
    await till.start();
    await world.clock.advance(1_000);
    expect(till.status.phase).toBe("online");
  });

  test("closed", () =>
    shop(async (till) => {
      await till.close();
      expect(till.status.phase).toBe("closed");
    }));
});

describe("the facts", () => {
  test("pending: how many, of what, and since when", () =>
    shop(async (till, world) => {
      world.network.offline();
      const first = till.now();
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(5_000);
      await till.collections.products.increment("p-1", { stock: -1 });
      expect(till.status.pending).toEqual({ count: 2, oldestAt: first, byCollection: { sales: 1, products: 1 } });
    }));

  test("pending: since when, of what is left after an answer", () =>
    shop(
      async (till, world) => {
        till.pause("x");
        await till.collections.sales.createMany(Array.from({ length: 30 }, (_, n) => saleOf(1, n)));
        await world.clock.advance(5_000);
        const later = till.now();
        await till.collections.sales.create(saleOf(1, 99));
        till.on("status", ({ pending }) => {
          if (pending.count === 1) world.network.offline();
        });
        till.resume("x");
        await world.clock.advance(100);
        expect(till.status.pending).toMatchObject({ count: 1, oldestAt: later });
      },
      { sync: { batch: { maxOperations: 30 } } },
    ));

  test("pending: nothing, and no moment, when all is sent", () =>
    shop(async (till, world) => {
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(1_000);
      expect(till.status.pending).toEqual({ count: 0, oldestAt: undefined, byCollection: {} });
    }));

  test("attention: what lies on the desks", () =>
    shop(async (till, world) => {
      world.rejectNext("products");
      world.quarantineNext("sales");
      await till.collections.products.update("p-1", { name: "A" });
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(1_000);
      expect(till.status.attention).toEqual({ conflicts: 0, rejected: 1, quarantined: 1 });
    }));

  test("lastPullAt and lastPushAt are the server's times of the last answers", () =>
    shop(async (till, world) => {
      const before = till.status;
      await world.clock.advance(60_000);
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(100);
      expect(till.status.lastPushAt).toBe(world.clock.now() - 100);
      expect(till.status.lastPullAt).toBeGreaterThan(before.lastPullAt ?? 0);
    }));

  test("since: moves only with the phase", () =>
    shop(async (till, world) => {
      const { since } = till.status;
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(60_000);
      expect(till.status.since).toBe(since);
      world.network.offline();
      await world.clock.advance(60_000);
      expect(till.status.since).toBeGreaterThan(since);
    }));

  test("are there again after a restart, before anything was heard from the server", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const before = await world.open({ storage });
    world.network.offline();
    await before.collections.sales.create(saleOf(1, 1));
    const { pending, lastPullAt } = before.status;
    await before.close();
    const after = world.till({ storage });
    await after.start();
    expect(after.status).toMatchObject({ pending, lastPullAt });
  });
});

test("the same object until something changes", () =>
  shop(async (till, world) => {
    const { status } = till;
    await till.collections.products.get("p-1");
    await till.collections.products.find();
    await world.clock.advance(1_000);
    expect(till.status).toBe(status);
  }));

test("an object that can't be written to", () =>
  shop(async (till) => {
    expect(() => Object.assign(till.status, { phase: "online" })).toThrow(TypeError);
  }));

test("the diagnostics hold states, counts and codes, and no record data", () =>
  shop(async (till, world) => {
    world.rejectNext("customers", "not_permitted");
    await till.collections.customers.create({ name: "Secret Name", phone: "0700-555" });
    await till.collections.sales.create(saleOf(1, 1), { actor: "cashier-joan" });
    await world.clock.advance(1_000);
    const { text, createdAt } = await till.diagnostics();
    expect(createdAt).toBe(new Date(till.now()).toISOString());
    expect(JSON.parse(text)).toMatchObject({
      status: { phase: "online", attention: { rejected: 1 } },
      operations: [{ collection: "customers", action: "create", state: "rejected", code: "not_permitted" }],
    });
    for (const secret of ["Secret Name", "0700-555", "cashier-joan", "good"]) expect(text).not.toContain(secret);
  }));
