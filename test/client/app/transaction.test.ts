/**
 * Interactive transactions: they are all or nothing on this device, and write only if what they read is still current.
 */
import { describe, expect, test } from "vitest";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { memory } from "../../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../../support/shop.ts";
import { bothCounts, ClientWorld, operationsIn, type Till } from "../support/world.ts";

type Storage = ReturnType<typeof memory>;
async function shop(run: (till: Till, world: ClientWorld, storage: Storage) => Promise<void>): Promise<void> {
  await using world = new ClientWorld();
  await world.seed(
    "products",
    { ...tea, stock: 10 },
    { id: "p-2", name: "Milk", priceCents: 90, category: "drinks", stock: 4 },
  );
  await world.seed("customers", { id: "c-1", name: "Ann", phone: "1" });
  const storage = memory();
  await run(await world.open({ storage, actor: () => "u-7" }), world, storage);
}
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => (isTillSyncError(error) ? error.code : (error as Error).message),
  );

describe("a transaction", () => {
  test("resolves to what its function returned, when all of it is on disk", () =>
    shop(async (till, world, storage) => {
      world.network.offline();
      const id = await till.transaction((tx) => {
        tx.products.increment("p-1", { stock: -2 });
        const sale = tx.sales.create(saleOf(2, 1));
        tx.payments.create({ saleId: sale.id, amountCents: 10_000 });
        return sale.id;
      });
      expect(operationsIn(storage).map((o) => [o.collection, o.action])).toEqual([
        ["products", "increment"],
        ["sales", "create"],
        ["payments", "create"],
      ]);
      expect(await till.collections.sales.get(id)).toMatchObject({ totalCents: 10_000 });
    }));

  test("shows nothing to anybody before its function has returned", () =>
    shop(async (till, world) => {
      world.network.offline();
      const seen: number[] = [];
      await till.transaction(async (tx) => {
        tx.sales.create(saleOf(1, 1));
        await tx.products.get("p-1");
        seen.push(await till.collections.sales.count());
      });
      expect([seen, await till.collections.sales.count()]).toEqual([[0], 1]);
    }));

  test("reaches the server as one: facts and increments under one name", () =>
    shop(async (till, world) => {
      await till.transaction((tx) => {
        tx.products.increment("p-1", { stock: -1 });
        tx.sales.create(saleOf(1, 1));
      });
      await world.clock.advance(1_000);
      const push = world.network.requests.find(({ path }) => path.endsWith("/push"));
      const { operations } = (push?.body ?? { operations: [] }) as { operations: { transaction?: string }[] };
      expect(new Set(operations.map(({ transaction }) => transaction)).size).toBe(1);
    }));

  test("has an id, and one moment for all that is in it", () =>
    shop(async (till, world, storage) => {
      world.network.offline();
      const context = await till.transaction((tx, { id, now }) => {
        tx.sales.create(saleOf(1, now));
        tx.sales.create(saleOf(2, now));
        return { id, now };
      });
      expect(context.now).toBe(till.now());
      expect(operationsIn(storage).map(({ transaction, occurredAt }) => [transaction, occurredAt])).toEqual([
        [context.id, context.now],
        [context.id, context.now],
      ]);
    }));

  test("names who did it, where that is another than who is at the till", () =>
    shop(async (till, world, storage) => {
      world.network.offline();
      await till.transaction((tx) => void tx.sales.create(saleOf(1, 1)), { actor: "u-9" });
      expect(operationsIn(storage)[0]?.actor).toBe("u-9");
    }));

  test("without a write stores nothing", () =>
    shop(async (till, _, storage) => {
      expect(await till.transaction(async (tx) => (await tx.products.get("p-1"))?.name)).toBe("Tea");
      expect(operationsIn(storage)).toEqual([]);
    }));
});

describe("inside, its own writes are seen", () => {
  test("by get, as they will be", () =>
    shop(async (till) => {
      const seen = await till.transaction(async (tx) => {
        tx.products.update("p-1", { name: "Green" });
        tx.products.increment("p-1", { stock: -3 });
        tx.products.delete("p-2");
        const made = tx.customers.create({ name: "Bob" });
        return [await tx.products.getMany(["p-1", "p-2"]), await tx.customers.get(made.id)];
      });
      expect(seen).toEqual([
        [{ ...tea, name: "Green", stock: 7 }, undefined],
        expect.objectContaining({ name: "Bob" }),
      ]);
    }));

  test("by get, also where a record is deleted and made again: its counters go on (H4)", () =>
    shop(async (till) => {
      const seen = await till.transaction(async (tx) => {
        tx.products.increment("p-1", { stock: -1 });
        tx.products.delete("p-1");
        const gone = await tx.products.get("p-1");
        tx.products.create({ ...tea, name: "Mint ", stock: 3 });
        return [gone, await tx.products.get("p-1")];
      });
      expect(seen).toEqual([undefined, await till.collections.products.get("p-1")]);
      expect(seen[1]).toMatchObject({ name: "Mint", stock: 12 });
    }));

  test("by get, but for one that the commit will refuse", () =>
    shop(async (till) => {
      const seen: unknown[] = [];
      const refused = till.transaction(async (tx) => {
        tx.products.update("p-9", { name: "A" });
        tx.products.update("p-1", { priceCents: -1 });
        seen.push(await tx.products.get("p-9"), (await tx.products.get("p-1"))?.priceCents);
      });
      expect([await failure(refused), seen]).toEqual(["not_found", [undefined, 5_000]]);
    }));

  test("by find, at their new place, within the limit", () =>
    shop(async (till) => {
      const seen = await till.transaction(async (tx) => {
        tx.products.update("p-1", { name: "Zebra" });
        tx.products.create({ id: "p-3", name: "Nuts", priceCents: 1, category: "drinks" } as never);
        tx.products.delete("p-2");
        const found = await tx.products.find({ index: "category", equals: "drinks", limit: 1 });
        const all = await tx.products.find({ index: "category", equals: "drinks" });
        return [found.map(({ name }) => name), all.map(({ name }) => name)];
      });
      expect(seen).toEqual([["Nuts"], ["Nuts", "Zebra"]]);
    }));

  test("and outside they are not, while it runs", () =>
    shop(async (till) => {
      await till.transaction(async (tx) => {
        tx.products.update("p-1", { name: "Green" });
        expect(await till.collections.products.get("p-1")).toMatchObject({ name: "Tea" });
      });
    }));
});

describe("an error in it", () => {
  const nothing = (storage: Storage) => expect(operationsIn(storage)).toEqual([]);

  test("that its function throws is its own, and nothing is written", () =>
    shop(async (till, _, storage) => {
      const run = till.transaction((tx) => {
        tx.sales.create(saleOf(1, 1));
        throw new Error("the card was declined");
      });
      expect(await failure(run)).toBe("the card was declined");
      nothing(storage);
    }));

  test("of a create is thrown at once, where the create is", () =>
    shop(async (till, _, storage) => {
      const steps: string[] = [];
      const run = till.transaction((tx) => {
        steps.push("before");
        tx.sales.create({ ...saleOf(1, 1), items: [] });
        steps.push("after");
      });
      expect([await failure(run), steps]).toEqual(["validation_failed", ["before"]]);
      nothing(storage);
    }));

  test("that its function catches lets the rest be written", () =>
    shop(async (till, world, storage) => {
      world.network.offline();
      await till.transaction((tx) => {
        try {
          tx.sales.create({ ...saleOf(1, 1), items: [] });
        } catch {
          tx.customers.create({ name: "Bob" });
        }
      });
      expect(operationsIn(storage).map(({ collection }) => collection)).toEqual(["customers"]);
    }));

  for (const [what, code, run] of [
    ["an update of a record that is not there", "not_found", (tx) => tx.products.update("p-9", { name: "A" })],
    ["an update that the schema refuses", "validation_failed", (tx) => tx.products.update("p-1", { priceCents: -1 })],
    [
      "an increment of what is no counter",
      "validation_failed",
      (tx) => tx.products.increment("p-1", { name: 1 } as never),
    ],
    ["a create of an id that is there", "already_exists", (tx) => tx.products.create({ ...tea } as never)],
  ] satisfies [string, string, (tx: Parameters<Parameters<Till["transaction"]>[0]>[0]) => unknown][])
    test(`(${what}) leaves nothing of the transaction`, () =>
      shop(async (till, _, storage) => {
        const all = till.transaction((tx) => {
          tx.sales.create(saleOf(1, 1));
          run(tx);
        });
        expect(await failure(all)).toBe(code);
        nothing(storage);
        expect(await till.collections.products.get("p-1")).toMatchObject({ stock: 10 });
      }));

  test("of the disk rejects it, and nothing of it is there", async () => {
    await using world = new ClientWorld();
    let broken = false;
    const storage = memory({
      faults: {
        before({ kind, label }) {
          if (broken && kind === "commit" && label === "local write") throw new Error("the disk is full");
        },
      },
    });
    const till = await world.open({ storage });
    broken = true;
    expect(await failure(till.transaction((tx) => void tx.sales.create(saleOf(1, 1))))).toBe("the disk is full");
    nothing(storage);
    expect([await till.collections.sales.count(), till.status.pending.count]).toEqual([0, 0]);
  });
});

describe("what it read has changed meanwhile", () => {
  test("a row: it runs again, on what is there now", () =>
    shop(async (till, _, storage) => {
      let runs = 0;
      await till.transaction(async (tx) => {
        runs += 1;
        const product = await tx.products.get("p-1");
        if (runs === 1) await till.collections.products.update("p-1", { priceCents: 6_000 });
        tx.products.update("p-1", { priceCents: (product?.priceCents ?? 0) + 1 });
      });
      expect([runs, await till.collections.products.get("p-1")]).toEqual([
        2,
        expect.objectContaining({ priceCents: 6_001 }),
      ]);
      expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
    }));

  test("a row that was not there: it runs again", () =>
    shop(async (till) => {
      let runs = 0;
      const run = till.transaction(async (tx) => {
        runs += 1;
        const known = await tx.customers.get("c-9");
        if (runs === 1) await till.collections.customers.create({ id: "c-9", name: "Zed" } as never);
        if (!known) tx.customers.create({ id: "c-9", name: "Other" } as never);
      });
      expect([await failure(run), runs, await till.collections.customers.get("c-9")]).toEqual([
        undefined,
        2,
        expect.objectContaining({ name: "Zed" }),
      ]);
    }));

  test("the answer of a query, by a row that came into it: it runs again", () =>
    shop(async (till) => {
      const counts: number[] = [];
      await till.transaction(async (tx) => {
        counts.push((await tx.products.find({ index: "category", equals: "drinks" })).length);
        if (counts.length === 1)
          await till.collections.products.create({ name: "New", priceCents: 1, category: "drinks" });
        tx.customers.update("c-1", { phone: String(counts.at(-1)) });
      });
      expect([counts, (await till.collections.customers.get("c-1"))?.phone]).toEqual([[2, 3], "3"]);
    }));

  test("something else: it does not run again", () =>
    shop(async (till) => {
      let runs = 0;
      await till.transaction(async (tx) => {
        runs += 1;
        await tx.products.get("p-1");
        await till.collections.products.update("p-2", { priceCents: 1 });
        tx.products.update("p-1", { priceCents: 2 });
      });
      expect(runs).toBe(1);
    }));

  test("also where it only reads: what it gives was so at one moment", () =>
    shop(async (till) => {
      let runs = 0;
      const [tea1, milk] = await till.transaction(async (tx) => {
        runs += 1;
        const first = await tx.products.get("p-1");
        if (runs === 1)
          await till.transaction((other) => {
            other.products.update("p-1", { priceCents: 1 });
            other.products.update("p-2", { priceCents: 2 });
          });
        return [first, await tx.products.get("p-2")];
      });
      expect([tea1?.priceCents, milk?.priceCents]).toEqual([1, 2]);
    }));

  test("each time: it gives up, and says how often it has tried", () =>
    shop(async (till) => {
      let runs = 0;
      const run = till.transaction(async (tx) => {
        runs += 1;
        await tx.products.get("p-1");
        await till.collections.products.update("p-1", { priceCents: runs });
        tx.products.update("p-1", { name: "Never" });
      });
      const error: unknown = await run.catch((cause: unknown) => cause);
      expect([isTillSyncError(error, "transaction_contended") && error.details, runs]).toEqual([{ runs: 10 }, 10]);
      expect(await till.collections.products.get("p-1")).toMatchObject({ name: "Tea", priceCents: 10 });
    }));

  test("two on one counter at once: both count", () =>
    shop(async (till, world) => {
      world.network.offline();
      await Promise.all(
        [1, 2, 3, 4].map(() =>
          till.transaction(async (tx) => {
            const product = await tx.products.get("p-1");
            if ((product?.stock ?? 0) > 0) tx.products.increment("p-1", { stock: -1 });
          }),
        ),
      );
      expect((await till.collections.products.get("p-1"))?.stock).toBe(6);
    }));

  test("two that sell the last one: one of them sees that there is none", () =>
    shop(async (till, world) => {
      world.network.offline();
      await till.collections.products.increment("p-1", { stock: -9 });
      const sell = () =>
        till.transaction(async (tx) => {
          const left = (await tx.products.get("p-1"))?.stock ?? 0;
          if (left < 1) return "sold out";
          tx.products.increment("p-1", { stock: -1 });
          return "sold";
        });
      expect((await Promise.all([sell(), sell()])).sort()).toEqual(["sold", "sold out"]);
      expect((await till.collections.products.get("p-1"))?.stock).toBe(0);
    }));
});

describe("after its end", () => {
  test("no use of it writes or reads any more", () =>
    shop(async (till, _, storage) => {
      const kept: Parameters<Parameters<Till["transaction"]>[0]>[0][] = [];
      await till.transaction((tx) => void kept.push(tx));
      const [tx] = kept;
      if (tx === undefined) throw new Error("no transaction");
      const uses: (() => unknown)[] = [
        () => tx.sales.create(saleOf(1, 1)),
        () => tx.products.update("p-1", { name: "A" }),
        () => tx.products.delete("p-1"),
        () => tx.products.increment("p-1", { stock: 1 }),
        () => tx.products.get("p-1"),
        () => tx.products.getMany(["p-1"]),
        () => tx.products.find({}),
        () => tx.products.first({}),
      ];
      for (const use of uses) expect(await failure((async () => use())())).toBe("transaction_finished");
      expect(operationsIn(storage)).toEqual([]);
    }));

  test("a write that was not awaited into it is told so, and is not half of it", () =>
    shop(async (till, world, storage) => {
      world.network.offline();
      const late: Promise<unknown>[] = [];
      await till.transaction((tx) => {
        tx.sales.create(saleOf(1, 1));
        late.push(
          tx.products.get("p-1").then(() => {
            tx.products.increment("p-1", { stock: -1 });
          }),
        );
      });
      expect(await failure(Promise.all(late))).toBe("transaction_finished");
      expect(operationsIn(storage).map(({ collection }) => collection)).toEqual(["sales"]);
    }));
});

describe("a write past it, through the client", () => {
  const past: Readonly<Record<string, (till: Till) => Promise<unknown>>> = {
    "a create": (till) => till.collections.payments.create({ saleId: "s-1", amountCents: 1 }),
    "an import": (till) => till.collections.payments.createMany([{ saleId: "s-1", amountCents: 1 }]),
    "an update": (till) => till.collections.products.update("p-1", { name: "A" }),
    "a delete": (till) => till.collections.products.delete("p-1"),
    "an increment": (till) => till.collections.products.increment("p-1", { stock: 1 }),
    "another transaction": (till) => till.transaction((tx) => void tx.products.delete("p-1")),
  };
  test.each(Object.keys(past))("%s before the first await fails, and so does the transaction", (what) =>
    shop(async (till, world, storage) => {
      world.network.offline();
      let written: Promise<unknown> = Promise.resolve();
      const outcome = till.transaction((tx) => {
        tx.sales.create(saleOf(1, 1));
        written = (past[what] as (till: Till) => Promise<unknown>)(till);
        written.catch(() => {});
      });
      expect(await failure(outcome)).toBe("transaction_bypassed");
      expect(await failure(written)).toBe("transaction_bypassed");
      expect(operationsIn(storage)).toEqual([]);
      // Nothing stays of it: neither for the next write nor for the next transaction.
      await till.collections.products.update("p-1", { name: "A" });
      await till.transaction((tx) => tx.products.increment("p-1", { stock: 1 }));
      expect(operationsIn(storage).map(({ action }) => action)).toEqual(["update", "increment"]);
    }),
  );

  test("a function that throws before its first await leaves nothing behind", () =>
    shop(async (till) => {
      const outcome = till.transaction(() => {
        throw new Error("changed my mind");
      });
      expect(await failure(outcome)).toBe("changed my mind");
      await till.collections.products.update("p-1", { name: "A" });
    }));

  test("a write of other code while the transaction waits is not mistaken for one", () =>
    shop(async (till, world, storage) => {
      world.network.offline();
      let resume = () => {};
      const paused = new Promise<void>((resolve) => {
        resume = resolve;
      });
      const transaction = till.transaction(async (tx) => {
        tx.sales.create(saleOf(1, 1));
        await paused;
      });
      await till.collections.products.update("p-2", { name: "B" });
      resume();
      await transaction;
      expect(operationsIn(storage).map(({ collection }) => collection)).toEqual(["products", "sales"]);
    }));
});

describe("called off", () => {
  test("before it begins, its function is not run", () =>
    shop(async (till) => {
      let runs = 0;
      const signal = AbortSignal.abort(new Error("changed my mind"));
      const count = () => {
        runs += 1;
      };
      const run = till.transaction(count, { signal });
      expect([await failure(run), runs]).toEqual(["changed my mind", 0]);
    }));

  test("while it runs, it rejects with the reason and writes nothing", () =>
    shop(async (till, _, storage) => {
      const stop = new AbortController();
      const run = till.transaction(
        async (tx) => {
          tx.sales.create(saleOf(1, 1));
          stop.abort(new Error("changed my mind"));
          await tx.products.get("p-1");
        },
        { signal: stop.signal },
      );
      expect(await failure(run)).toBe("changed my mind");
      expect(operationsIn(storage)).toEqual([]);
    }));
});
