/** Sync as an app controls it: now, paused, for the first time, with a second client on the store, and closed. */
import { describe, expect, test } from "vitest";
import type { Transport } from "../../src/client/ports/transport.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { memory } from "../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../support/shop.ts";
import { bothCounts, ClientWorld, listen, operationsIn, type Till } from "./support/world.ts";

async function shop(run: (till: Till, world: ClientWorld) => Promise<void>): Promise<void> {
  await using world = new ClientWorld();
  await world.seed("products", { ...tea, stock: 10 });
  await run(await world.open(), world);
}
const manual = { sync: { auto: false } };

/** While it is cut, a push fails half a second after it was sent. */
function cutLine(world: ClientWorld) {
  const transport = world.transport();
  const line = {
    isCut: false,
    pushes: [] as string[],
    transport: {
      ...transport,
      async push(request, call) {
        line.pushes.push(line.isCut ? "cut" : "through");
        if (!line.isCut) return transport.push(request, call);
        await world.clock.sleep(500);
        return { ok: false, failure: { kind: "unreachable", reason: "network" } } as const;
      },
    } satisfies Transport as Transport,
  };
  return line;
}

describe("sync()", () => {
  test("done: what went there, what came, what is left", () =>
    shop(async (till, world) => {
      await world.clock.settle();
      till.pause("x");
      await till.collections.sales.create(saleOf(1, 1));
      await world.seed("products", { ...tea, name: "A" });
      till.resume("x");
      expect(await till.sync()).toEqual({ outcome: "done", pushed: 1, pulled: expect.any(Number), remaining: 0 });
      expect((await till.collections.products.get("p-1"))?.name).toBe("A");
    }));

  test("offline: and why", () =>
    shop(async (till, world) => {
      world.network.offline();
      await till.collections.sales.create(saleOf(1, 1));
      expect(await till.sync()).toEqual({ outcome: "offline", cause: "unreachable", remaining: 1 });
    }));

  test("steps over a backoff", () =>
    shop(async (till, world) => {
      world.network.offline();
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(300_000);
      world.network.online();
      expect(await till.sync()).toMatchObject({ outcome: "done", remaining: 0 });
    }));

  test("steps over a Retry-After", () =>
    shop(async (till, world) => {
      world.network.answerNext(429, "", { "retry-after": "600" });
      expect(await till.sync()).toMatchObject({ outcome: "offline", cause: "throttled" });
      expect(await till.sync()).toMatchObject({ outcome: "done" });
    }));

  test("action_needed: what a person must do", () =>
    shop(async (till, world) => {
      world.token = undefined;
      await till.collections.sales.create(saleOf(1, 1));
      expect(await till.sync()).toEqual({ outcome: "action_needed", cause: "auth_required", remaining: 1 });
    }));

  test("paused: for which reasons", () =>
    shop(async (till) => {
      till.pause("forced_offline");
      await till.collections.sales.create(saleOf(1, 1));
      expect(await till.sync()).toEqual({ outcome: "paused", reasons: ["forced_offline"], remaining: 1 });
    }));

  test("rejects when it is called off, and what it began goes on", () =>
    shop(async (till, world) => {
      await till.collections.sales.create(saleOf(1, 1));
      await expect(till.sync({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
      await world.clock.advance(1_000);
      expect(till.status.pending.count).toBe(0);
    }));

  test("is a round of its own: what was under way before may fail, and another attempt follows", async () => {
    await using world = new ClientWorld();
    const line = cutLine(world);
    const till = await world.open({ transport: line.transport });
    line.isCut = true;
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(200);
    line.isCut = false;
    const outcome = till.sync();
    await world.clock.advance(1_000);
    expect(await outcome).toMatchObject({ outcome: "done", pushed: 1, remaining: 0 });
    expect(line.pushes).toEqual(["cut", "through"]);
  });

  test("is a round of its own in a client that waits for its turn, too", async () => {
    await using world = new ClientWorld();
    const line = cutLine(world);
    const options = { transport: line.transport, storage: memory() };
    await world.open(options);
    const waiting = world.till(options);
    await waiting.start();
    await world.clock.settle();
    line.isCut = true;
    await waiting.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(200);
    line.isCut = false;
    const outcome = waiting.sync();
    await world.clock.advance(1_000);
    expect(await outcome).toMatchObject({ outcome: "done", remaining: 0 });
    expect(line.pushes).toEqual(["cut", "through"]);
  });

  test("counts what it has moved for itself, and leaves the loop to another that is running", async () => {
    await using world = new ClientWorld();
    const till = world.till(manual);
    await till.collections.sales.create(saleOf(1, 1));
    const one = till.sync();
    await till.collections.sales.create(saleOf(1, 2));
    const two = till.sync();
    expect([await one, await two]).toMatchObject([
      { outcome: "done", pushed: 2 },
      { outcome: "done", remaining: 0 },
    ]);
    expect(till.status.phase).toBe("stopped");
    expect(await world.rows("sales")).toHaveLength(2);
  });

  test("twice at once: both have an outcome", () =>
    shop(async (till) => {
      const [one, two] = await Promise.all([till.sync(), till.sync()]);
      expect([one.outcome, two.outcome]).toEqual(["done", "done"]);
    }));
});

describe("without a background loop", () => {
  test("nothing is asked before sync() is called", async () => {
    await using world = new ClientWorld();
    const till = world.till(manual);
    await till.start();
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(300_000);
    expect([world.network.requests, till.status.phase]).toEqual([[], "stopped"]);
  });

  test("sync() does one round, and nothing is asked after it", async () => {
    await using world = new ClientWorld();
    const till = world.till(manual);
    await till.collections.sales.create(saleOf(1, 1));
    expect(await till.sync()).toMatchObject({ outcome: "done", remaining: 0 });
    const asked = world.network.requests.length;
    await till.collections.sales.create(saleOf(1, 2));
    await world.clock.advance(300_000);
    expect([world.network.requests.length, till.status.phase]).toEqual([asked, "stopped"]);
  });

  test("sync() that is called off leaves nothing running", async () => {
    await using world = new ClientWorld();
    const till = world.till(manual);
    await till.start();
    const stop = new AbortController();
    const run = till.sync({ signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(run).rejects.toThrow("enough");
    await world.clock.settle();
    const asked = world.network.requests.length;
    await world.clock.advance(300_000);
    expect([world.network.requests.length, till.status.phase]).toEqual([asked, "stopped"]);
  });

  test("pausing and resuming begins nothing", async () => {
    await using world = new ClientWorld();
    const till = world.till(manual);
    await till.start();
    till.pause("x");
    till.resume("x");
    await world.clock.advance(300_000);
    expect([world.network.requests, till.status.phase]).toEqual([[], "stopped"]);
  });
});

describe("a pause without a background loop", () => {
  const sold = async (world: ClientWorld) => {
    const till = world.till(manual);
    await till.start();
    await till.collections.sales.create(saleOf(1, 1));
    return till;
  };

  test("holds from the middle of a sync() on, until it is resumed", async () => {
    await using world = new ClientWorld();
    const till = await sold(world);
    let isNew = true;
    till.on("status", ({ phase }) => {
      if (isNew && phase === "first_sync") till.pause("forced_offline");
      isNew = isNew && phase !== "first_sync";
    });
    const paused = { outcome: "paused", reasons: ["forced_offline"], remaining: 1 };
    expect(await till.sync()).toEqual(paused);
    expect(till.status).toMatchObject({ phase: "paused", reasons: ["forced_offline"] });
    expect(await till.sync()).toEqual(paused);
    expect(await world.rows("sales")).toEqual([]);
    till.resume("forced_offline");
    expect(till.status.phase).toBe("stopped");
    expect(await till.sync()).toMatchObject({ outcome: "done", remaining: 0 });
    expect(await world.rows("sales")).toHaveLength(1);
  });

  test("asks for no turn when it is over", async () => {
    await using world = new ClientWorld();
    let asked = 0;
    const coordinator = {
      "~port": "coordinator" as const,
      exclusive: (_: string, signal: AbortSignal, work: (lost: AbortSignal) => Promise<void>) => {
        asked += 1;
        return work(signal);
      },
      broadcast() {},
      subscribe: () => () => {},
    };
    const till = world.till({ ...manual, coordinator });
    await till.start();
    till.pause("night");
    till.resume("night");
    await world.clock.settle();
    expect([asked, till.status.phase]).toEqual([0, "stopped"]);
  });
});

describe("pause and resume", () => {
  test("hold every request while local work goes on", () =>
    shop(async (till, world) => {
      till.pause("night");
      const asked = world.network.requests.length;
      const { id } = await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(600_000);
      expect([world.network.requests.length, await till.collections.sales.get(id)]).toEqual([
        asked,
        expect.objectContaining({ id }),
      ]);
    }));

  test("hold until every reason was resumed", () =>
    shop(async (till, world) => {
      till.pause("night");
      till.pause("roaming");
      await till.collections.sales.create(saleOf(1, 1));
      till.resume("night");
      await world.clock.advance(60_000);
      expect(till.status).toMatchObject({ phase: "paused", reasons: ["roaming"], pending: { count: 1 } });
      till.resume("roaming");
      await world.clock.advance(1_000);
      expect(till.status).toMatchObject({ phase: "online", pending: { count: 0 } });
    }));

  test("of a till that is not open hold it when it opens", async () => {
    await using world = new ClientWorld();
    const till = world.till();
    till.pause("night");
    await till.start();
    await world.clock.advance(60_000);
    expect([world.network.requests, till.status.phase]).toEqual([[], "paused"]);
    till.resume("night");
    await world.clock.advance(1_000);
    expect(till.status.phase).toBe("online");
  });
});

describe("firstSync()", () => {
  test("resolves when the collections have come completely", async () => {
    await using world = new ClientWorld();
    await world.seed("products", ...Array.from({ length: 1_200 }, (_, n) => ({ ...tea, id: `p-${n}` })));
    const till = world.till();
    const ready: number[] = [];
    void till
      .firstSync({ collections: ["products"] })
      .then(async () => ready.push(await till.collections.products.count()));
    await world.clock.advance(10_000);
    expect(ready).toEqual([1_200]);
  });

  test("waits while the till is offline", async () => {
    await using world = new ClientWorld();
    world.network.offline();
    const till = world.till();
    let ready = false;
    void till.firstSync().then(() => {
      ready = true;
    });
    await world.clock.advance(300_000);
    expect(ready).toBe(false);
    world.network.online();
    await world.clock.advance(300_000);
    expect(ready).toBe(true);
  });

  test("resolves at once ever after, also offline", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    await (await world.open({ storage })).close();
    world.network.offline();
    await world.till({ storage }).firstSync();
  });

  test("refuses a collection that is not there, which would never come", async () => {
    await using world = new ClientWorld();
    const till = await world.open();
    await expect(till.firstSync({ collections: ["product" as never] })).rejects.toMatchObject({
      code: "invalid_option",
      details: { option: "collections", received: '"product"' },
    });
  });

  test("rejects when it is called off, and when the client is closed", async () => {
    await using world = new ClientWorld();
    world.network.offline();
    const till = world.till();
    const stop = new AbortController();
    const called = till.firstSync({ signal: stop.signal });
    const closed = till.firstSync();
    stop.abort(new Error("enough"));
    await expect(called).rejects.toThrow("enough");
    await till.close();
    await expect(closed).rejects.toMatchObject({ code: "client_closed" });
  });
});

describe("push and pull do not wait for each other (L6)", () => {
  const throttled = { ok: false, failure: { kind: "throttled", retryAfterMs: 1_000 } } as const;

  test("a sale that was throttled once goes when its wait is over, however long the first pull takes", async () => {
    await using world = new ClientWorld();
    const rows = Array.from({ length: 2_000 }, (_, n) => ({ ...tea, id: `p-${n}`, barcodes: [], stock: 1 }));
    await world.seed("products", ...rows);
    const transport = world.transport();
    let pushes = 0;
    const till = world.till({
      transport: {
        ...transport,
        push: async (request, call) => (++pushes === 1 ? throttled : transport.push(request, call)),
        async pull(request, call) {
          const answer = await transport.pull(request, call);
          await world.clock.sleep(30_000, call.signal);
          return answer;
        },
      },
    });
    await till.start();
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(10_000);
    expect([till.status.phase, till.status.pending.count, (await world.rows("sales")).length]).toEqual([
      "first_sync",
      0,
      1,
    ]);
    await till.collections.sales.create(saleOf(1, 2));
    await world.clock.advance(1_000);
    expect((await world.rows("sales")).length).toBe(2);
  });

  test("what others did comes when the wait of pull is over, however much there is to send", async () => {
    await using world = new ClientWorld();
    const transport = world.transport();
    let refused = false;
    const till = await world.open({
      sync: { batch: { maxOperations: 1 } },
      transport: {
        ...transport,
        async push(request, call) {
          await world.clock.sleep(10_000, call.signal);
          return transport.push(request, call);
        },
        async pull(request, call) {
          if (!refused) return transport.pull(request, call);
          refused = false;
          return throttled;
        },
      },
    });
    await till.collections.sales.createMany(Array.from({ length: 20 }, (_, n) => saleOf(1, n)));
    refused = true;
    await world.seed("products", { ...tea, stock: 10 });
    await world.clock.advance(40_000);
    expect(await till.collections.products.get("p-1")).toMatchObject({ stock: 10 });
    expect(till.status.pending.count).toBeGreaterThan(10);
  });

  test("sync() sends what was sold while the network came back", async () => {
    await using world = new ClientWorld();
    const transport = world.transport();
    const gate = deferred<void>();
    let slow = false;
    const till = await world.open({
      transport: {
        ...transport,
        async pull(request, call) {
          if (slow) await gate.promise;
          return transport.pull(request, call);
        },
      },
    });
    world.network.offline();
    await world.clock.advance(60_000);
    slow = true;
    world.network.online();
    await world.clock.advance(60_000);
    await till.collections.sales.create(saleOf(1, 1));
    const outcome = till.sync();
    gate.resolve();
    expect(await outcome).toMatchObject({ outcome: "done", remaining: 0 });
    expect(await world.rows("sales")).toHaveLength(1);
  });
});

describe("two clients of one store (StrictMode, hot reload)", () => {
  const both = async (world: ClientWorld) => {
    const storage = memory();
    const first = await world.open({ storage });
    const second = await world.open({ storage });
    return { storage, first, second };
  };

  test("only one talks to the server", async () => {
    await using world = new ClientWorld();
    const { first, second } = await both(world);
    const from = world.network.requests.length;
    await first.collections.sales.create(saleOf(1, 1));
    await second.collections.sales.create(saleOf(1, 2));
    await world.clock.advance(1_000);
    const pushed = world.network.requests
      .slice(from)
      .flatMap(({ body }) => (body as { operations?: object[] }).operations ?? []);
    expect([pushed.length, (await world.rows("sales")).length]).toEqual([2, 2]);
    expect([first.status.pending.count, second.status.pending.count]).toEqual([0, 0]);
  });

  test("both see what one wrote, also in what is live", async () => {
    await using world = new ClientWorld();
    const { first, second } = await both(world);
    world.network.offline();
    const live = second.collections.sales.live({ limit: 5 });
    live.subscribe(() => {});
    const settled: string[] = [];
    const { id } = await first.collections.sales.create(saleOf(1, 1));
    void second.collections.sales.settled(id).then(({ state }) => settled.push(state));
    await world.clock.advance(100);
    expect([live.getSnapshot().rows.map((row) => row.id), second.status.pending.count]).toEqual([[id], 1]);
    world.network.online();
    await world.clock.advance(120_000);
    expect([live.getSnapshot().meta(id).sync, second.status.pending.count, settled]).toEqual([
      "synced",
      0,
      ["applied"],
    ]);
  });

  test("both see a conflict come and go", async () => {
    await using world = new ClientWorld();
    await world.seed("customers", { id: "c-1", name: "Ann", phone: "1" });
    const { first, second } = await both(world);
    const live = second.conflicts.live();
    live.subscribe(() => {});
    world.network.offline();
    await first.collections.customers.update("c-1", { phone: "2" });
    await world.clock.advance(5_000);
    await world.seed("customers", { id: "c-1", name: "Ann", phone: "9" });
    world.network.online();
    await world.clock.advance(120_000);
    expect(live.getSnapshot()).toHaveLength(1);
    await first.conflicts.resolve(live.getSnapshot()[0] as never, "server");
    await world.clock.advance(1_000);
    expect(live.getSnapshot()).toEqual([]);
  });

  test("close() of the first hands over to the second", async () => {
    await using world = new ClientWorld();
    const { first, second } = await both(world);
    world.network.offline();
    await first.collections.sales.create(saleOf(1, 1));
    await first.close();
    world.network.online();
    await world.clock.advance(120_000);
    expect([second.status.phase, second.status.pending.count, (await world.rows("sales")).length]).toEqual([
      "online",
      0,
      1,
    ]);
  });

  test("sync() of the one that waits has the other send", async () => {
    await using world = new ClientWorld();
    const { second } = await both(world);
    await second.collections.sales.create(saleOf(1, 1));
    const outcome = second.sync();
    await world.clock.advance(2_000);
    expect(await outcome).toMatchObject({ outcome: "done", remaining: 0 });
  });

  /** A lock that lets every client in, like one that was stolen from a frozen tab. */
  const coordinator = {
    "~port": "coordinator" as const,
    exclusive: (_: string, signal: AbortSignal, work: (lost: AbortSignal) => Promise<void>) => work(signal),
    broadcast() {},
    subscribe: () => () => {},
  };

  test("a holder whose turn was taken puts nothing aside that the next one is sending (fence)", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const gate = deferred<void>();
    const transport = world.transport();
    let pushes = 0;
    const refusing: Transport = {
      ...transport,
      async push(request, call) {
        if (++pushes > 1) return transport.push(request, call);
        await gate.promise;
        return { ok: false, failure: { kind: "refused", code: "too_large", status: 413, detail: "too large" } };
      },
    };
    const first = world.till({ storage, coordinator, transport: refusing });
    await first.start();
    await first.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(1_000);
    /** The answers arrive when no caller waits for them any more. */
    const late = async (answer: Promise<unknown>, signal: AbortSignal) => {
      await answer;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return { ok: false, failure: { kind: "aborted" } } as const;
    };
    let pulls = 0;
    const slow: Transport = {
      ...transport,
      push: (request, call) => late(transport.push(request, call), call.signal),
      pull: (request, call) => (++pulls > 1 ? transport.pull(request, call) : late(Promise.resolve(), call.signal)),
    };
    const second = world.till({ storage, coordinator, transport: slow });
    await second.start();
    await world.clock.advance(1_000);
    const told = listen(first, "quarantined");
    gate.resolve();
    await world.clock.settle();
    expect(told.heard).toEqual([]);
    second.pause("x");
    await world.clock.advance(60_000);
    expect(operationsIn(storage).map(({ state }) => state)).toEqual(["applied"]);
    expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
  });

  test("a holder whose turn was taken while it was frozen writes nothing any more (fence)", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const gate = deferred<void>();
    let frozen = false;
    const transport = world.transport();
    const thawing: Transport = {
      ...transport,
      async pull(request, call) {
        const answer = await transport.pull(request, call);
        if (frozen) await gate.promise;
        return answer;
      },
    };
    const first = world.till({ storage, coordinator, transport: thawing });
    await first.start();
    await world.clock.advance(1_000);
    frozen = true;
    await world.clock.advance(60_000);
    const second = world.till({ storage, coordinator });
    await second.start();
    await world.seed("products", { ...tea, stock: 10 });
    await world.clock.advance(60_000);
    const before = storage.snapshot("test-shop").tables;
    const told = listen(first, "error");
    second.pause("x");
    gate.resolve();
    frozen = false;
    await world.clock.settle();
    expect(storage.snapshot("test-shop").tables["c:products"]).toEqual(before["c:products"]);
    expect(told.heard).toEqual([]);
    expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
  });
});

describe("close()", () => {
  test("stops everything: no request and no write after it", async () => {
    await using world = new ClientWorld();
    const steps: string[] = [];
    const storage = memory({ faults: { before: ({ kind, label }) => void steps.push(`${kind} ${label ?? ""}`) } });
    const till = await world.open({ storage });
    await till.collections.sales.create(saleOf(1, 1));
    await till.close();
    await world.clock.settle(); // what was in progress when the client was closed
    const asked = world.network.requests.length;
    steps.length = 0;
    await world.clock.advance(600_000);
    expect([world.network.requests.length, steps]).toEqual([asked, []]);
  });

  test("waits for a write that was begun", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const till = await world.open({ storage });
    world.network.offline();
    const written = till.collections.sales.create(saleOf(1, 1));
    await till.close();
    await written;
    expect(operationsIn(storage)).toHaveLength(1);
  });

  test("an answer that comes after it is not applied", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const gate = deferred<void>();
    const transport = world.transport();
    const till = await world.open({
      storage,
      transport: {
        ...transport,
        async push(request, call) {
          const answer = await transport.push(request, call);
          await gate.promise;
          return answer;
        },
      },
    });
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.settle();
    const closed = till.close();
    gate.resolve();
    await closed;
    expect(till.status.phase).toBe("closed");
    const states = operationsIn(storage).map(({ state }) => state);
    await world.clock.advance(60_000);
    expect(operationsIn(storage).map(({ state }) => state)).toEqual(states);
  });

  test("refuses everything after it", () =>
    shop(async (till) => {
      await till.close();
      const calls: (() => Promise<unknown>)[] = [
        () => till.start(),
        () => till.sync(),
        () => till.firstSync(),
        () => till.device(),
        () => till.collections.products.get("p-1"),
        () => till.collections.products.find(),
        () => till.collections.sales.create(saleOf(1, 1)),
        () => till.transaction((tx) => void tx.sales.create(saleOf(1, 1))),
        () => till.operations.list(),
        () => till.conflicts.list(),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "client_closed" });
    }));

  test("twice is once", () =>
    shop(async (till) => {
      await Promise.all([till.close(), till.close()]);
      await till.close();
      expect(till.status.phase).toBe("closed");
    }));

  test("of a client that was never opened touches nothing", async () => {
    await using world = new ClientWorld();
    const steps: string[] = [];
    const till = world.till({ storage: memory({ faults: { before: ({ kind }) => void steps.push(kind) } }) });
    await till.close();
    expect([steps, till.status.phase]).toEqual([[], "closed"]);
  });

  test("lets go of the platform, also while it is still opening", async () => {
    await using world = new ClientWorld();
    let listening = 0;
    const connectivity = {
      "~port": "connectivity" as const,
      online: () => true,
      subscribe() {
        listening += 1;
        return () => {
          listening -= 1;
        };
      },
    };
    const till = world.till({ connectivity });
    const started = till.start().catch(() => {});
    await till.close();
    await started;
    await world.clock.advance(60_000);
    expect([listening, world.network.requests]).toEqual([0, []]);
  });

  test("at the end of its scope, with `await using`", async () => {
    await using world = new ClientWorld();
    const kept: Till[] = [];
    {
      await using till = world.till();
      await till.start();
      kept.push(till);
    }
    expect(kept[0]?.status.phase).toBe("closed");
  });
});

describe("a hint of the platform", () => {
  test("ends a backoff", async () => {
    await using world = new ClientWorld();
    const hints: ((hint: "online") => void)[] = [];
    const connectivity = {
      "~port": "connectivity" as const,
      online: () => true,
      subscribe(listener: (hint: "online") => void) {
        hints.push(listener);
        return () => {};
      },
    };
    const till = await world.open({ connectivity });
    world.network.offline();
    await world.clock.advance(600_000);
    world.network.online();
    for (const hint of hints) hint("online");
    await world.clock.settle();
    expect(till.status.phase).toBe("online");
  });
});

describe("no hot loop", () => {
  test("with a server that answers a push without a word about what it was sent", () =>
    withServer((transport) => ({
      ...transport,
      push: async (request, call) => {
        const result = await transport.push({ ...request, operations: [] }, call);
        return result.ok ? { ...result, value: { ...result.value, results: [] } } : result;
      },
    })));

  test("with a server that says `more` and gives nothing", () =>
    withServer(
      (transport) => ({
        ...transport,
        pull: async (request, call) => {
          const result = await transport.pull(request, call);
          if (!result.ok) return result;
          const stuck = Object.entries(result.value.pages).map(([name, page]) => [
            name,
            { ...page, changes: [], more: true, cursor: request.collections[name] ?? page.cursor },
          ]);
          return { ...result, value: { ...result.value, pages: Object.fromEntries(stuck) } };
        },
      }),
      0,
    ));

  test("with a server that asks for a resync each time", () =>
    withServer((transport) => ({
      ...transport,
      pull: async () => ({
        ok: false,
        failure: { kind: "refused", code: "resync_required", status: 409, detail: "" },
      }),
    })));

  test("with a server that sees a fork each time", () =>
    withServer((transport) => ({
      ...transport,
      push: async () => ({ ok: false, failure: { kind: "refused", code: "identity_fork", status: 409, detail: "" } }),
    })));

  test("with a server that asks for a retry each time", () =>
    withServer((transport) => ({
      ...transport,
      push: async (request, call) => {
        const result = await transport.push({ ...request, operations: [] }, call);
        const results = request.operations.map(({ id }) => ({
          id,
          status: "retry" as const,
          error: { code: "later", message: "" },
        }));
        return result.ok ? { ...result, value: { ...result.value, results } } : result;
      },
    })));

  /** Ten minutes with a sale to send to such a server: it gets at most a few requests a minute. */
  async function withServer(broken: (transport: Transport) => Transport, left?: number): Promise<void> {
    await using world = new ClientWorld();
    let asked = 0;
    const counted = (transport: Transport): Transport => {
      const count =
        <A extends unknown[], R>(call: (...given: A) => R) =>
        (...given: A): R => {
          asked += 1;
          if (asked > 500) throw new Error("a hot loop");
          return call(...given);
        };
      return {
        ...transport,
        register: count(transport.register),
        push: count(transport.push),
        pull: count(transport.pull),
      };
    };
    const till = world.till({ transport: counted(broken(world.transport())) });
    await till.start();
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(600_000);
    expect(asked).toBeLessThan(150);
    if (left !== undefined) expect(till.status.pending.count).toBe(left);
  }
});

test("the first pull takes the largest pages there are; from then on a page leaves room for sales between two", async () => {
  await using world = new ClientWorld();
  const till = await world.open();
  await till.sync();
  const limits = world.network.requests
    .filter(({ path }) => path.endsWith("/pull"))
    .map(({ body }) => (body as { limit: number }).limit);
  expect(limits[0]).toBe(1_000);
  expect(limits.at(-1)).toBe(500);
});
