/** The head of the outbox: a window through which everything is sent, however long the queue after it is (L6, L12). */
import { describe, expect, test } from "vitest";
import type { Transport } from "../../../src/client/ports/transport.ts";
import { nextBatch } from "../../../src/client/scripts/next-batch.ts";
import { EMPTY_QUEUE, QUEUE } from "../../../src/client/state/meta.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import { META, OPERATIONS, storageLayout } from "../../../src/client/state/tables.ts";
import { checkCollections } from "../../../src/schema/collections.ts";
import { memory } from "../../../src/storage/memory/memory.ts";
import { collections, saleOf, tea } from "../../support/shop.ts";
import { create, DecisionTill, sale } from "../support/decision-till.ts";
import { ClientWorld, type Till } from "../support/world.ts";

const RESEND = { state: "pending", resend: true } as const;

/** A day's work that is kept back, then sent. */
async function held(
  run: (till: Till, world: ClientWorld) => Promise<void>,
  broken: (transport: Transport) => Transport = (same) => same,
): Promise<void> {
  await using world = new ClientWorld();
  await world.seed("products", { ...tea, stock: 10 });
  const till = await world.open({ transport: broken(world.transport()) });
  till.pause("x");
  await run(till, world);
}
const many = (customerId: string) => Array.from({ length: 700 }, (_, n) => ({ ...saleOf(1, n), customerId }));

describe("a day of sales to a new customer", () => {
  test("who stands in a lower lane behind all of them: everything is sent", () =>
    held(async (till, world) => {
      const { id } = await till.collections.customers.create({ name: "Walk-in" });
      await till.collections.sales.createMany(many(id));
      till.resume("x");
      await world.clock.advance(1_000);
      expect([till.status.pending.count, (await world.rows("sales")).length]).toEqual([0, 700]);
    }));

  test("who had to wait for a newer server: everything is sent when that has come", () => {
    let old = true;
    return held(
      async (till, world) => {
        const { id } = await till.collections.customers.create({ name: "Walk-in" });
        till.resume("x");
        await world.clock.advance(1_000);
        till.pause("x");
        await till.collections.sales.createMany(many(id));
        old = false;
        till.resume("x");
        await world.clock.advance(180_000);
        expect(till.status.pending.count).toBe(0);
      },
      (transport) => ({
        ...transport,
        async push(request, call) {
          if (!old) return transport.push(request, call);
          const result = await transport.push({ ...request, operations: [] }, call);
          const results = request.operations.map(({ id }) => ({
            id,
            status: "retry" as const,
            error: { code: "schema_newer", message: "" },
          }));
          return result.ok ? { ...result, value: { ...result.value, results } } : result;
        },
      }),
    );
  });
});

test("what is of a sale that the server has put off waits for that sale, also while nobody edits anything [C2]", async () => {
  let puts = true;
  await held(
    async (till, world) => {
      const sale = await till.collections.sales.create(saleOf(1, 1));
      till.resume("x");
      await world.clock.advance(1_000);
      puts = false;
      await till.collections.payments.create({ saleId: sale.id, amountCents: 1 });
      await world.clock.advance(5_000);
      expect(await world.rows("payments")).toHaveLength(0);
      await world.clock.advance(180_000);
      expect([(await world.rows("sales")).length, (await world.rows("payments")).length]).toEqual([1, 1]);
    },
    (transport) => ({
      ...transport,
      async push(request, call) {
        if (!puts) return transport.push(request, call);
        const result = await transport.push({ ...request, operations: [] }, call);
        const error = { code: "schema_newer", message: "" };
        const results = request.operations.map(({ id }) => ({ id, status: "retry" as const, error }));
        return result.ok ? { ...result, value: { ...result.value, results } } : result;
      },
    }),
  );
});

/** The batch that is chosen from an outbox with these entries, as it is read. */
async function selected(...operations: readonly StoredOperation[]): Promise<readonly string[]> {
  const hooks = { onFailure() {}, onSuperseded() {} };
  const connection = await memory().open("outbox", storageLayout(checkCollections(collections)), hooks);
  const options = { tables: [META, OPERATIONS], durability: "relaxed" } as const;
  const puts = operations.map((value) => ({ kind: "put", table: OPERATIONS, key: value.id, value }) as const);
  const queue = { kind: "put", table: META, key: QUEUE, value: { ...EMPTY_QUEUE, edits: 1, wake: 1 } } as const;
  // biome-ignore lint/correctness/useYield: a script that reads nothing
  await connection.transact(options, function* () {
    return { value: undefined, writes: [...puts, queue] };
  });
  const limits = { maxOperations: 200, maxBytes: 512 * 1024 };
  const batch = await connection.transact(options, () => nextBatch({ limits, round: 0, skip: () => false }));
  return batch.selected.map(({ operation }) => operation.id);
}

describe("after a restore [C8.6]", () => {
  const till = new DecisionTill();
  const customer = till.one(create("customers", "c-1", { name: "Ann", phone: null }));
  const first = till.one(sale("s-1", { customerId: "c-1" }));
  const second = till.one(sale("s-2"));

  test("what the lost history had taken goes before anything new", async () => {
    expect(await selected(second, { ...first, references: [], status: RESEND })).toEqual([first.id]);
  });

  test("with what it needs, where that is new: a journal that waits for it would hold up everything", async () => {
    expect(await selected({ ...first, status: RESEND }, customer, second)).toEqual([customer.id, first.id, second.id]);
  });
});

describe("a transaction of many members [C1]", () => {
  test("that a conflict of one of them held is sent again as a whole, and ends", async () => {
    await using world = new ClientWorld();
    const ids = Array.from({ length: 250 }, (_, n) => `p-${n}`);
    await world.seed("products", ...ids.map((id) => ({ ...tea, id, barcodes: [], stock: 1 })));
    const till = await world.open();
    const other = await world.open();
    till.pause("x");
    await till.transaction((tx) => {
      for (const id of ids) tx.products.update(id, { priceCents: 7 });
    });
    await other.collections.products.update("p-0", { priceCents: 9 });
    await world.clock.advance(1_000);
    till.resume("x");
    await world.clock.advance(60_000);
    expect(till.status.pending.count).toBe(0);
    const prices = (await world.rows("products")).map(({ priceCents }) => priceCents);
    expect(prices.sort()).toEqual([...Array.from({ length: 249 }, () => 7), 9]);
  });

  test("that the server put off is sent again as a whole", async () => {
    const sizes: number[] = [];
    await held(
      async (till, world) => {
        await till.transaction((tx) => {
          for (let n = 0; n < 250; n += 1) tx.sales.create(saleOf(1, n));
        });
        till.resume("x");
        await world.clock.advance(180_000);
        expect([till.status.pending.count, sizes]).toEqual([0, [250, 250]]);
      },
      (transport) => ({
        ...transport,
        async push(request, call) {
          sizes.push(request.operations.length);
          if (sizes.length > 1) return transport.push(request, call);
          const result = await transport.push({ ...request, operations: [] }, call);
          const error = { code: "schema_newer", message: "" };
          const results = request.operations.map(({ id }) => ({ id, status: "retry" as const, error }));
          return result.ok ? { ...result, value: { ...result.value, results } } : result;
        },
      }),
    );
  });

  /**
   * `before` sales that wait for their customer, then two that were made in one transaction, with an edit between them.
   */
  const atTheEdge = (before: number) => {
    const till = new DecisionTill();
    const customer = till.one(create("customers", "c-1", { name: "Ann", phone: null }));
    const waiting = Array.from({ length: before }, (_, n) => till.one(sale(`s-${n}`, { customerId: "c-1" })));
    const bound = till.write([
      sale("s-last"),
      create("customers", "c-9", { name: "Bob", phone: null }),
      sale("s-more"),
    ]);
    const inOneLane = [...waiting, ...bound].map((o): StoredOperation => ({ ...o, lane: 0 }));
    const unheard: StoredOperation = {
      ...customer,
      status: { state: "blocked", blockedBy: [], blockedInRound: 9 },
    };
    return { unheard, inOneLane, edge: bound[0]?.id ?? "" };
  };

  test.each([
    ["the lanes' window", 448, { state: "pending" }],
    ["the window of what was unblocked", 348, { state: "blocked", blockedBy: [], blockedInRound: 0 }],
    ["the journal's window", 448, RESEND],
  ] as const)("is never sent in part where %s ends in it", async (_, before, status) => {
    const { unheard, inOneLane, edge } = atTheEdge(before);
    expect(await selected(unheard, ...inOneLane.map((o) => ({ ...o, status })))).not.toContain(edge);
  });
});

describe("the lanes [M5]", () => {
  test("are weighted: what is low comes through a stream of sales", () =>
    held(async (till, world) => {
      await till.collections.sales.createMany(Array.from({ length: 1_500 }, (_, n) => saleOf(1, n)));
      await till.collections.customers.create({ name: "Ann" });
      till.resume("x");
      await world.clock.settle();
      const pushes = world.network.requests.filter(({ path }) => path.endsWith("/push"));
      const place = pushes.findIndex(({ body }) =>
        (body as { operations: { collection: string }[] }).operations.some(
          ({ collection }) => collection === "customers",
        ),
      );
      expect([place >= 0 && place < 4, till.status.pending.count]).toEqual([true, 0]);
    }));
});

describe("a server that refuses to read a batch", () => {
  const refusing = (isPoison: (operation: { readonly collection: string }) => boolean) => {
    const sizes: number[] = [];
    const broken = (transport: Transport): Transport => ({
      ...transport,
      async push(request, call) {
        sizes.push(request.operations.length);
        if (!request.operations.some(isPoison)) return transport.push(request, call);
        return { ok: false, failure: { kind: "refused", code: "too_large", status: 413, detail: "too large for me" } };
      },
    });
    return { sizes, broken };
  };

  test("gets halves of it, down to the one that it does not read; that one lies on the desk, and the others are there [C9]", () => {
    const { sizes, broken } = refusing(({ collection }) => collection === "payments");
    return held(async (till, world) => {
      await till.collections.sales.createMany(Array.from({ length: 15 }, (_, n) => saleOf(1, n)));
      await till.collections.payments.create({ saleId: "s-1", amountCents: 1 });
      till.resume("x");
      await world.clock.advance(1_000);
      expect(sizes.slice(0, 4)).toEqual([16, 8, 8, 4].slice(0, 2).concat(sizes.slice(2, 4)));
      expect([
        till.status.pending.count,
        till.status.attention.quarantined,
        (await world.rows("sales")).length,
      ]).toEqual([0, 1, 15]);
      const [kept] = await till.operations.list({ state: "quarantined" });
      expect(kept?.status).toEqual({
        state: "quarantined",
        reason: { code: "too_large", message: "too large for me", issues: [] },
      });
      expect(await till.collections.payments.count()).toBe(1);
    }, broken);
  });

  test("has an edit that it does not read lie on the desk as rejected", () => {
    const { broken } = refusing(({ collection }) => collection === "products");
    return held(async (till, world) => {
      await till.collections.products.update("p-1", { name: "A" });
      till.resume("x");
      await world.clock.advance(1_000);
      expect([
        till.status.attention.rejected,
        till.status.pending.oldestAt,
        (await till.collections.products.get("p-1"))?.name,
      ]).toEqual([1, undefined, "Tea"]);
    }, broken);
  });

  test("that fails (500) on one sale gets the others, and is asked for that one again and again", () => {
    let sick = true;
    const broken = (transport: Transport): Transport => ({
      ...transport,
      async push(request, call) {
        const poison = request.operations.some((o) => o.action === "create" && o.data.soldAt === 3);
        if (!sick || !poison) return transport.push(request, call);
        return { ok: false, failure: { kind: "server_error", status: 500 } };
      },
    });
    return held(async (till, world) => {
      await till.collections.sales.createMany(Array.from({ length: 8 }, (_, n) => saleOf(1, n)));
      till.resume("x");
      await world.clock.advance(1_800_000);
      expect([till.status.pending.count, (await world.rows("sales")).length]).toEqual([1, 7]);
      sick = false;
      await world.clock.advance(300_000);
      expect([till.status.pending.count, (await world.rows("sales")).length]).toEqual([0, 8]);
    }, broken);
  });
});
