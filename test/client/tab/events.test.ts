/** The events of a client: each is raised once, with what is needed to act on it. */
import { describe, expect, test } from "vitest";
import type { Transport } from "../../../src/client/ports/transport.ts";
import { revokeDevice } from "../../../src/server/admin/revoke-device.ts";
import { memory } from "../../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../../support/shop.ts";
import { ClientWorld, listen, operationsIn, START, TENANT, type Till } from "../support/world.ts";

async function shop(run: (till: Till, world: ClientWorld) => Promise<void>): Promise<void> {
  await using world = new ClientWorld();
  await world.seed("products", { ...tea, stock: 10 });
  await world.seed("customers", { id: "c-1", name: "Ann", phone: "1" });
  await run(await world.open({ device: { id: "till-1" } }), world);
}

test("queued: each write once, with its operations", () =>
  shop(async (till, world) => {
    const { heard } = listen(till, "queued");
    const sale = await till.transaction((tx) => {
      tx.products.increment("p-1", { stock: -1 });
      return tx.sales.create(saleOf(1, 1));
    });
    await world.clock.advance(60_000);
    expect(heard).toEqual([
      {
        event: "queued",
        payload: {
          operations: [
            expect.objectContaining({ collection: "products", change: { action: "increment", by: { stock: -1 } } }),
            expect.objectContaining({ collection: "sales", entityId: sale.id, status: { state: "pending" } }),
          ],
        },
      },
    ]);
  }));

test("queued: not for a write that changes nothing", () =>
  shop(async (till) => {
    const { heard } = listen(till, "queued");
    await till.collections.products.update("p-1", { name: "Tea" });
    await till.collections.products.delete("p-9");
    expect(heard).toEqual([]);
  }));

test("queued has been told when the write resolves", () =>
  shop(async (till) => {
    const { heard } = listen(till, "queued");
    await till.collections.sales.create(saleOf(1, 1));
    expect(heard).toHaveLength(1);
  }));

test("applied: with the record as the server has it, once, though the answer was lost and came again", () =>
  shop(async (till, world) => {
    const { heard } = listen(till, "applied");
    world.network.loseNextAnswer();
    const { id } = await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(120_000);
    const [operation] = await till.operations.list({ entityId: id, collection: "sales" });
    expect(heard).toEqual([
      {
        event: "applied",
        payload: {
          collection: "sales",
          id,
          record: expect.objectContaining({ id, orderNumber: "N-1" }),
          flags: [],
          operationId: operation?.id,
        },
      },
    ]);
  }));

test("applied: without a record where that was deleted", () =>
  shop(async (till, world) => {
    const told = listen(till, "applied");
    await till.collections.products.delete("p-1");
    await world.clock.advance(1_000);
    expect(told.of("applied")).toEqual([expect.objectContaining({ id: "p-1", record: undefined })]);
  }));

test("applied: with the flags of the server", () =>
  shop(async (till, world) => {
    const told = listen(till, "applied");
    await till.transaction((tx) => tx.products.increment("p-9", { stock: -1 }));
    await world.clock.advance(1_000);
    expect(told.of("applied")).toEqual([expect.objectContaining({ id: "p-9", flags: [{ code: "unknown_row" }] })]);
  }));

test("rejected: with the operation and the reason, once", () =>
  shop(async (till, world) => {
    const { heard } = listen(till, "rejected");
    world.rejectNext("products", "price_locked");
    await till.collections.products.update("p-1", { priceCents: 1 });
    await world.clock.advance(120_000);
    expect(heard).toEqual([
      {
        event: "rejected",
        payload: {
          operation: expect.objectContaining({
            entityId: "p-1",
            change: { action: "update", patch: { priceCents: 1 }, baseVersion: expect.any(Number) },
          }),
          reason: { code: "price_locked", message: "price_locked!", issues: [] },
        },
      },
    ]);
  }));

test("quarantined: with the operation and the reason, once", () =>
  shop(async (till, world) => {
    const { heard } = listen(till, "quarantined");
    world.quarantineNext("sales", "shift_closed");
    const { id } = await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(120_000);
    expect(heard).toEqual([
      {
        event: "quarantined",
        payload: {
          operation: expect.objectContaining({ entityId: id, kind: "fact" }),
          reason: { code: "shift_closed", message: "shift_closed!", issues: [] },
        },
      },
    ]);
  }));

describe("conflict", () => {
  const contested = async (till: Till, world: ClientWorld, collection: "customers" | "products") => {
    world.network.offline();
    if (collection === "customers") await till.collections.customers.update("c-1", { phone: "2" });
    else await till.collections.products.update("p-1", { priceCents: 2 });
    await world.clock.advance(5_000);
    if (collection === "customers") await world.seed("customers", { id: "c-1", name: "Ann", phone: "9" });
    else await world.seed("products", { ...tea, priceCents: 9 });
    world.network.online();
    await world.clock.advance(120_000);
  };

  test("that waits for people: its three sides, once", () =>
    shop(async (till, world) => {
      const told = listen(till, "conflict");
      await contested(till, world, "customers");
      expect(told.of("conflict")).toEqual([
        expect.objectContaining({
          collection: "customers",
          entityId: "c-1",
          base: { id: "c-1", name: "Ann", phone: "1", points: 0 },
          client: { id: "c-1", name: "Ann", phone: "2", points: 0 },
          server: { id: "c-1", name: "Ann", phone: "9", points: 0 },
          fields: [{ field: "phone", base: "1", client: "2", server: "9" }],
          settled: undefined,
        }),
      ]);
    }));

  test("that a resolver settled: as settled, once", () =>
    shop(async (till, world) => {
      const told = listen(till, "conflict");
      await contested(till, world, "products");
      expect(told.of<{ settled: unknown }>("conflict").map(({ settled }) => settled)).toEqual([
        { by: "resolver", at: expect.any(Number), kept: "server" },
      ]);
    }));

  test("that the office settled: again, as settled", () =>
    shop(async (till, world) => {
      await contested(till, world, "customers");
      const told = listen(till, "conflict");
      const [open] = await till.conflicts.list();
      await world.office(`conflicts/${open?.id}/resolve`, { choice: "server" });
      await world.clock.advance(60_000);
      expect(told.of<{ settled: unknown }>("conflict").map(({ settled }) => settled)).toEqual([
        { by: "server", at: expect.any(Number), kept: "server" },
      ]);
      expect(await till.conflicts.list()).toEqual([]);
    }));
});

describe("pulled", () => {
  test("names the rows that a pull changed, by collection", () =>
    shop(async (till, world) => {
      const told = listen(till, "pulled");
      await world.seed("products", { ...tea, name: "A" }, { ...tea, id: "p-2" });
      await world.clock.advance(60_000);
      expect(told.of("pulled")).toEqual([{ collection: "products", ids: ["p-1", "p-2"] }]);
    }));

  test("is not told of a pull that brought nothing, or only what this till has sent itself", () =>
    shop(async (till, world) => {
      const told = listen(till, "pulled");
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(120_000);
      expect(told.of("pulled")).toEqual([]);
    }));
});

describe("auth_required", () => {
  const cases = {
    no_token: (world: ClientWorld) => {
      world.token = undefined;
    },
    refused: (world: ClientWorld) => {
      world.principal = () => undefined;
    },
  };
  for (const [cause, happens] of Object.entries(cases))
    test(`(${cause}) is told once, however often the server is asked`, () =>
      shop(async (till, world) => {
        const told = listen(till, "auth_required", "error");
        happens(world);
        await world.clock.advance(300_000);
        expect(told.heard).toEqual([{ event: "auth_required", payload: { cause } }]);
      }));

  for (const code of ["forbidden", "device_mismatch", "unauthenticated"] as const)
    test(`(${code}) names the cause \`refused\`: someone is signed in, and the server doesn't accept the token`, async () => {
      await using world = new ClientWorld();
      const transport = world.transport();
      let isRefused = false;
      const failure = { kind: "refused", code, status: code === "unauthenticated" ? 401 : 403, detail: "" } as const;
      const till = await world.open({
        transport: {
          ...transport,
          push: async (request, call) => (isRefused ? { ok: false, failure } : transport.push(request, call)),
          pull: async (request, call) => (isRefused ? { ok: false, failure } : transport.pull(request, call)),
        },
      });
      await world.clock.advance(1_000);
      const told = listen(till, "auth_required");
      isRefused = true;
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(300_000);
      expect(told.heard).toEqual([{ event: "auth_required", payload: { cause: "refused" } }]);
    });

  test("with another device's token, after a token was missing: first `no_token`, then `refused`", () =>
    shop(async (till, world) => {
      const told = listen(till, "auth_required");
      world.token = undefined;
      await world.clock.advance(60_000);
      world.token = "good";
      await world.clock.advance(60_000);
      world.principal = () => ({ tenant: TENANT, branch: "main", device: "till-2", scopes: ["sync"] });
      await world.clock.advance(300_000);
      expect(told.of("auth_required")).toEqual([{ cause: "no_token" }, { cause: "refused" }]);
    }));

  test("is told again when only the reason changes", () =>
    shop(async (till, world) => {
      const told = listen(till, "auth_required");
      world.token = undefined;
      await world.clock.advance(60_000);
      world.token = "bad";
      world.principal = () => undefined;
      await world.clock.advance(300_000);
      expect(told.of("auth_required")).toEqual([{ cause: "no_token" }, { cause: "refused" }]);
    }));

  test("is told again when it happens again", () =>
    shop(async (till, world) => {
      const told = listen(till, "auth_required");
      for (const token of [undefined, "good", undefined]) {
        world.token = token;
        await world.clock.advance(60_000);
      }
      expect(told.heard).toHaveLength(2);
    }));
});

test("device_revoked: once, and when", () =>
  shop(async (till, world) => {
    const told = listen(till, "device_revoked");
    await revokeDevice({ store: world.store, tenant: TENANT, device: "till-1", clock: world.clock });
    await world.clock.advance(300_000);
    expect(told.heard).toEqual([{ event: "device_revoked", payload: { at: expect.any(Number) } }]);
  }));

describe("skew (L10)", () => {
  test("is told once, when the till's clock is found to be wrong", async () => {
    await using world = new ClientWorld();
    const till = world.till();
    const told = listen(till, "skew");
    // The server of this world has the same clock, so its answers are changed to carry another time.
    const transport = world.transport();
    const ahead = <T extends { readonly ok: boolean }>(result: T): T =>
      result.ok ? { ...result, timing: { serverTime: world.clock.now() + 600_000, roundTripMs: 10 } } : result;
    await till.close();
    const other = world.till({
      transport: {
        ...transport,
        register: async (request, call) => ahead(await transport.register(request, call)),
        pull: async (request, call) => ahead(await transport.pull(request, call)),
      },
    });
    const heard = listen(other, "skew");
    await other.start();
    await world.clock.advance(300_000);
    expect([told.heard, heard.heard]).toEqual([[], [{ event: "skew", payload: { offsetMs: 600_005 } }]]);
    expect(other.now() - world.clock.now()).toBe(600_005);
  });

  test("a till that starts without a network goes on with the offset of its last answer, and says so", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const transport = world.transport();
    const ahead = <T extends { readonly ok: boolean }>(result: T): T =>
      result.ok ? { ...result, timing: { serverTime: world.clock.now() + 600_000, roundTripMs: 10 } } : result;
    const pull: Transport["pull"] = async (request, call) => ahead(await transport.pull(request, call));
    const till = await world.open({ storage, transport: { ...transport, pull } });
    await world.clock.advance(60_000);
    await till.close();
    world.network.offline();
    const again = world.till({ storage });
    const heard = listen(again, "skew");
    await again.start();
    await world.clock.advance(5_000);
    expect(again.status.clock).toEqual({ offsetMs: 600_005, confidence: "remembered" });
    await again.collections.sales.create(saleOf(1, 1));
    const [operation] = operationsIn(storage);
    expect(operation?.occurredAt).toBe(world.clock.now() + 600_005);
    expect(heard.heard).toEqual([]);
    world.network.online();
    await world.clock.advance(60_000);
    expect(again.status.clock).toMatchObject({ confidence: "high" });
  });

  test("is not told of a clock that is a little off", () =>
    shop(async (till, world) => {
      const told = listen(till, "skew");
      world.clock.setWallClock(Date.parse(START) + 60_000);
      await world.clock.advance(60_000);
      expect(told.heard).toEqual([]);
    }));
});

test("storage_at_risk: once, when it is found that the platform may evict", async () => {
  await using world = new ClientWorld();
  const till = world.till();
  const told = listen(till, "storage_at_risk");
  await till.start();
  await world.clock.advance(120_000);
  expect(told.heard).toEqual([{ event: "storage_at_risk", payload: { cause: "eviction" } }]);
});

test("status: each time it changes, and never the same twice in a row", () =>
  shop(async (till, world) => {
    const told = listen(till, "status");
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(60_000);
    const all = told.of("status");
    expect(all.length).toBeGreaterThan(2);
    expect(all.at(-1)).toBe(till.status);
    for (const [index, status] of all.entries()) expect(status).not.toEqual(all[index + 1]);
  }));

describe("a listener", () => {
  test("that throws is told to `error`, and keeps nothing from the others", () =>
    shop(async (till) => {
      const errors: unknown[] = [];
      till.on("queued", () => {
        throw new Error("the app's own");
      });
      const { heard } = listen(till, "queued");
      till.on("error", (error) => errors.push([error.code, (error.cause as Error).message]));
      const { id } = await till.collections.sales.create(saleOf(1, 1));
      expect([heard.length, errors]).toEqual([1, [["internal", "the app's own"]]]);
      expect(await till.collections.sales.get(id)).toBeDefined();
    }));

  test("of `error` that throws is told to the log alone", async () => {
    await using world = new ClientWorld();
    const logged: string[] = [];
    const logger = { error: (message: string) => void logged.push(message), info() {}, debug() {} };
    const till = await world.open({ logger });
    till.on("queued", () => {
      throw new Error("one");
    });
    till.on("error", () => {
      throw new Error("two");
    });
    await till.collections.sales.create(saleOf(1, 1));
    expect(logged).toEqual(["A listener of `queued` threw.", "A listener of `error` threw"]);
  });

  test("is taken off by its handle, and only that one", () =>
    shop(async (till) => {
      let calls = 0;
      const listener = () => {
        calls += 1;
      };
      const stop = till.on("queued", listener);
      till.on("queued", listener);
      stop();
      stop();
      await till.collections.sales.create(saleOf(1, 1));
      expect(calls).toBe(1);
    }));

  test("is taken off at the end of its scope, with `using`", () =>
    shop(async (till) => {
      let calls = 0;
      {
        using _ = till.on("queued", () => {
          calls += 1;
        });
      }
      await till.collections.sales.create(saleOf(1, 1));
      expect(calls).toBe(0);
    }));

  test("may close the client it listens to", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const till = await world.open({ storage });
    const closed: Promise<void>[] = [];
    till.on("queued", () => void closed.push(till.close()));
    await till.collections.sales.create(saleOf(1, 1));
    await Promise.all(closed);
    expect(till.status.phase).toBe("closed");
  });
});
