/** Collections as an app uses them: what a write resolves to, what every read then shows, and what is on disk. */
import { describe, expect, test } from "vitest";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { memory } from "../../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../../support/shop.ts";
import { ClientWorld, operationsIn, rowIn, type Till } from "../support/world.ts";

/** A till that was not started, in a shop with one product. */
async function sold(
  run: (till: Till, world: ClientWorld, storage: ReturnType<typeof memory>) => Promise<void>,
): Promise<void> {
  await using world = new ClientWorld();
  await world.seed("products", { ...tea, stock: 10 });
  const storage = memory();
  await run(await world.open({ storage, actor: () => "u-7" }), world, storage);
}
const failure = async (promise: Promise<unknown>) => {
  const error: unknown = await promise.then(
    () => new Error("it did not fail"),
    (cause: unknown) => cause,
  );
  return isTillSyncError(error) ? { code: error.code, details: error.details } : error;
};

describe("create", () => {
  test("resolves to the record, with an id that counts up and the schema's defaults", () =>
    sold(async (till) => {
      const made = await till.collections.products.create({ name: " Milk ", priceCents: 90 });
      expect(made).toEqual({ id: made.id, name: "Milk", barcodes: [], category: "none", priceCents: 90, stock: 0 });
      expect(made.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }));

  test("resolves when row and operation are on disk together (L1)", () =>
    sold(async (till, world, storage) => {
      world.network.offline();
      const made = await till.collections.sales.create(saleOf(1, 5));
      expect(rowIn(storage, "sales", made.id)?.data).toMatchObject({ soldAt: 5 });
      expect(operationsIn(storage).map((o) => [o.entityId, o.action, o.state])).toEqual([
        [made.id, "create", "pending"],
      ]);
    }));

  test("takes the id that it is given, once: a form that is sent twice makes one record", () =>
    sold(async (till, _, storage) => {
      await till.collections.customers.create({ id: "draft-1", name: "Ann" } as never);
      const again = await failure(till.collections.customers.create({ id: "draft-1", name: "Ann" } as never));
      expect(again).toEqual({ code: "already_exists", details: { collection: "customers", id: "draft-1" } });
      expect(operationsIn(storage)).toHaveLength(1);
    }));

  for (const id of ["", "a b", "a/b", "x".repeat(65), 7, null])
    test(`refuses the id ${JSON.stringify(id).slice(0, 12)}`, () =>
      sold(async (till, _, storage) => {
        const refused = await failure(till.collections.customers.create({ id, name: "Ann" } as never));
        expect(refused).toMatchObject({ code: "validation_failed", details: { issues: [{ path: ["id"] }] } });
        expect(operationsIn(storage)).toEqual([]);
      }));

  test("refuses what the schema refuses, with its issues", () =>
    sold(async (till) => {
      const refused = await failure(till.collections.products.create({ name: "A", priceCents: -1 }));
      expect(refused).toMatchObject({ code: "validation_failed", details: { issues: [{ path: ["priceCents"] }] } });
    }));

  test("refuses what only the server fills in", () =>
    sold(async (till) => {
      const refused = await failure(till.collections.sales.create({ ...saleOf(1, 1), orderNumber: "9" } as never));
      expect(refused).toMatchObject({ code: "validation_failed", details: { issues: [{ path: ["orderNumber"] }] } });
    }));

  test("keeps nothing of what it was given: the caller may change it afterwards", () =>
    sold(async (till, _, storage) => {
      const given = saleOf(1, 1);
      const made = await till.collections.sales.create(given);
      given.items.push({ productId: "p-9", quantity: 9, priceCents: 9 });
      expect(rowIn(storage, "sales", made.id)?.data?.items).toHaveLength(1);
    }));

  test("captures who is at the till, or whom the caller names", () =>
    sold(async (till, _, storage) => {
      await till.collections.sales.create(saleOf(1, 1));
      await till.collections.sales.create(saleOf(1, 2), { actor: "u-9" });
      expect(operationsIn(storage).map(({ actor }) => actor)).toEqual(["u-7", "u-9"]);
    }));
});

describe("who is at the till", () => {
  const as = async (
    actor: () => string | undefined,
    run: (till: Till, world: ClientWorld, storage: ReturnType<typeof memory>) => Promise<void>,
  ) => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const storage = memory();
    await run(await world.open({ storage, actor }), world, storage);
  };

  test("is nobody where the name is empty: the sale is no less a sale", () =>
    as(
      () => "",
      async (till, world, storage) => {
        await till.collections.sales.create(saleOf(1, 1));
        await world.clock.advance(1_000);
        expect(operationsIn(storage).map(({ state, actor }) => [state, actor])).toEqual([["applied", undefined]]);
      },
    ));

  test("is refused as what the wire does not take, before anything is stored [M1]", () =>
    as(
      () => "x".repeat(129),
      async (till, _, storage) => {
        const refused = await failure(till.collections.sales.create(saleOf(1, 1)));
        expect(refused).toMatchObject({ code: "invalid_option", details: { option: "actor" } });
        expect(operationsIn(storage)).toEqual([]);
      },
    ));

  test("is not asked by the loop: a session that throws stops no sync (L6)", () => {
    let isOver = false;
    return as(
      () => {
        if (isOver) throw new Error("no session");
        return "u-7";
      },
      async (till, world) => {
        await till.collections.sales.create(saleOf(1, 1));
        isOver = true;
        await world.seed("products", { ...tea, name: "Green" });
        await world.clock.advance(120_000);
        expect([till.status.phase, till.status.pending.count]).toEqual(["online", 0]);
        expect((await till.collections.products.get("p-1"))?.name).toBe("Green");
      },
    );
  });
});

describe("createMany", () => {
  test("resolves to all records in their order, also beyond one commit", () =>
    sold(async (till) => {
      const made = await till.collections.sales.createMany(Array.from({ length: 600 }, (_, n) => saleOf(1, n)));
      expect(made.map(({ soldAt }) => soldAt)).toEqual(Array.from({ length: 600 }, (_, n) => n));
    }));

  test("checks all before it stores the first", () =>
    sold(async (till, _, storage) => {
      const refused = await failure(till.collections.sales.createMany([saleOf(1, 1), { ...saleOf(1, 2), items: [] }]));
      expect(refused).toMatchObject({ code: "validation_failed" });
      expect(operationsIn(storage)).toEqual([]);
    }));

  test("binds none of them to another", () =>
    sold(async (till, _, storage) => {
      await till.collections.sales.createMany([saleOf(1, 1), saleOf(1, 2)]);
      expect(operationsIn(storage).map(({ group }) => group)).toEqual([undefined, undefined]);
    }));

  test("of nothing writes nothing", () =>
    sold(async (till, _, storage) => {
      expect(await till.collections.sales.createMany([])).toEqual([]);
      expect(operationsIn(storage)).toEqual([]);
    }));
});

describe("get and getMany", () => {
  test("give the record with its id, or undefined", () =>
    sold(async (till) => {
      expect(await till.collections.products.get("p-1")).toEqual({ ...tea, stock: 10 });
      expect(await till.collections.products.get("p-9")).toBeUndefined();
    }));

  test("give what was asked for, in its order, twice where it was asked for twice", () =>
    sold(async (till) => {
      const found = await till.collections.products.getMany(["p-9", "p-1", "p-1"]);
      expect(found.map((record) => record?.id)).toEqual([undefined, "p-1", "p-1"]);
    }));

  test("give records that can't be written to", () =>
    sold(async (till) => {
      const record = await till.collections.products.get("p-1");
      expect(() => Object.assign(record ?? {}, { name: "X" })).toThrow(TypeError);
      expect(() => ((record?.barcodes ?? []) as string[]).push("x")).toThrow(TypeError);
    }));
});

describe("update", () => {
  test("resolves to the record as it is now", () =>
    sold(async (till) => {
      expect(await till.collections.products.update("p-1", { priceCents: 6_000 })).toEqual({
        ...tea,
        stock: 10,
        priceCents: 6_000,
      });
    }));

  test("rejects where there is no such record", () =>
    sold(async (till) => {
      expect(await failure(till.collections.products.update("p-9", { name: "A" }))).toEqual({
        code: "not_found",
        details: { collection: "products", id: "p-9" },
      });
    }));

  test("writes what it was given: the caller may change it at once, also within", () =>
    sold(async (till) => {
      const form = { name: "Mint", barcodes: ["7"], note: undefined as string | undefined };
      const by = { stock: 1 };
      const updating = till.collections.products.update("p-1", form);
      const counting = till.collections.products.increment("p-1", by);
      form.name = "";
      form.barcodes.push("8");
      by.stock = 99;
      expect(await updating).toMatchObject({ name: "Mint", barcodes: ["7"] });
      expect(await counting).toMatchObject({ stock: 11 });
    }));

  test("with the changes of a form writes what the user changed, and nothing that others changed meanwhile", () =>
    sold(async (till, _, storage) => {
      const before = await till.collections.products.get("p-1");
      if (before === undefined) throw new Error("no tea");
      const form = { name: "Green tea", category: "drinks", priceCents: 5_000, stock: 10, id: "p-1" };
      await till.collections.products.update("p-1", till.collections.products.changes(before, form));
      expect(operationsIn(storage)[0]).toMatchObject({ patch: { name: "Green tea" }, unset: [] });
    }));
});

describe("changes", () => {
  test("name only what differs, never the id or a counter", () =>
    sold(async (till) => {
      const before = { ...tea, stock: 10, note: "n" };
      const after = { id: "p-2", name: "Tea", priceCents: 1, stock: 99, note: undefined };
      expect(till.collections.products.changes(before, after as never)).toEqual({ priceCents: 1, note: undefined });
    }));
});

describe("increment", () => {
  test("resolves to the record as it is now", () =>
    sold(async (till) => {
      expect((await till.collections.products.increment("p-1", { stock: -3 })).stock).toBe(7);
    }));

  test("rejects where there is no such record", () =>
    sold(async (till) => {
      expect(await failure(till.collections.products.increment("p-9", { stock: 1 }))).toMatchObject({
        code: "not_found",
      });
    }));
});

describe("delete", () => {
  test("hides the record from every read at once", () =>
    sold(async (till) => {
      await till.collections.products.delete("p-1");
      expect(await till.collections.products.get("p-1")).toBeUndefined();
      expect(await till.collections.products.find()).toEqual([]);
      expect(await till.collections.products.find({ index: "barcode", equals: "600" })).toEqual([]);
      expect(await till.collections.products.count()).toBe(0);
    }));

  test("of what is not there is no error", () =>
    sold(async (till, _, storage) => {
      await till.collections.products.delete("p-9");
      expect(operationsIn(storage)).toEqual([]);
    }));

  test("that the server refuses brings the record back", () =>
    sold(async (till, world) => {
      world.rejectNext("products");
      await till.collections.products.delete("p-1");
      await world.clock.advance(1_000);
      expect(await till.collections.products.get("p-1")).toEqual({ ...tea, stock: 10 });
    }));
});

test("a fact has nothing that would change it", () =>
  sold(async (till) => {
    expect(Object.keys(till.collections.sales)).not.toEqual(expect.arrayContaining(["update"]));
    for (const verb of ["update", "delete", "increment", "changes"])
      expect(verb in till.collections.sales, verb).toBe(false);
  }));

test("a first read or write opens the store, without `start()`", async () => {
  await using world = new ClientWorld();
  const till = world.till();
  await till.collections.customers.create({ name: "Ann" });
  expect(await till.collections.customers.count()).toBe(1);
  await world.clock.advance(1_000);
  expect(await world.rows("customers")).toHaveLength(1);
});

test("a client that was made has touched nothing", async () => {
  await using world = new ClientWorld();
  const steps: string[] = [];
  const till = world.till({ storage: memory({ faults: { before: ({ kind }) => void steps.push(kind) } }) });
  const { products } = till.collections;
  products.live({ limit: 5 });
  till.on("status", () => {});
  till.pause("x");
  till.resume("x");
  await world.clock.advance(60_000);
  expect([steps, world.network.requests, till.status.phase]).toEqual([[], [], "stopped"]);
});
