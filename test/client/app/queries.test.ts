/** Queries: each kind of range, each page, each live value. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { memory } from "../../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../../support/shop.ts";
import { ClientWorld, type Till } from "../support/world.ts";

const catalogue = [
  { id: "p-1", name: "Apple", category: "fruit", priceCents: 10, barcodes: ["100", "101"] },
  { id: "p-2", name: "Beer", category: "drinks", priceCents: 20, barcodes: ["200"] },
  { id: "p-3", name: "Apricot", category: "fruit", priceCents: 30, barcodes: [] },
  { id: "p-4", name: "Cola", category: "drinks", priceCents: 40, barcodes: ["102", "300"] },
  { id: "p-5", name: "apple", category: "fruit", priceCents: 50, barcodes: ["100"] },
];
async function shop(
  run: (till: Till, world: ClientWorld) => Promise<void>,
  rows: readonly { id: string }[] = catalogue,
): Promise<void> {
  await using world = new ClientWorld();
  await world.seed("products", ...rows);
  await run(await world.open(), world);
}
type ProductQuery = Parameters<Till["collections"]["products"]["find"]>[0];
const ids = async (till: Till, query: ProductQuery) =>
  (await till.collections.products.find(query)).map(({ id }) => id);

describe("a query", () => {
  const cases: readonly (readonly [string, ProductQuery, readonly string[]])[] = [
    ["of nothing gives all, by id", {}, ["p-1", "p-2", "p-3", "p-4", "p-5"]],
    ["in reverse gives all from the end", { reverse: true }, ["p-5", "p-4", "p-3", "p-2", "p-1"]],
    ["of ids gives those, in their order", { ids: ["p-4", "p-9", "p-1"] }, ["p-4", "p-1"]],
    ["of ids gives each once", { ids: ["p-1", "p-1"] }, ["p-1"]],
    ["of ids in reverse", { ids: ["p-4", "p-1"], reverse: true }, ["p-1", "p-4"]],
    ["of ids with a limit counts what is there", { ids: ["p-9", "p-4", "p-1"], limit: 1 }, ["p-4"]],
    ["of an index gives all that is in it, in its order", { index: "name" }, ["p-1", "p-3", "p-2", "p-4", "p-5"]],
    ["equals", { index: "name", equals: "Beer" }, ["p-2"]],
    ["equals nothing", { index: "name", equals: "Bee" }, []],
    ["from is inclusive", { index: "name", from: "Beer" }, ["p-2", "p-4", "p-5"]],
    ["before is exclusive", { index: "name", before: "Beer" }, ["p-1", "p-3"]],
    ["from and before", { index: "name", from: "Apricot", before: "Cola" }, ["p-3", "p-2"]],
    ["from above before is empty", { index: "name", from: "Z", before: "A" }, []],
    ["startsWith", { index: "name", startsWith: "Ap" }, ["p-1", "p-3"]],
    ["startsWith of nothing is everything", { index: "name", startsWith: "" }, ["p-1", "p-3", "p-2", "p-4", "p-5"]],
    ["compound: equals the first field", { index: "category", equals: "fruit" }, ["p-1", "p-3", "p-5"]],
    ["compound: equals the first field, as a list", { index: "category", equals: ["fruit"] }, ["p-1", "p-3", "p-5"]],
    ["compound: equals all fields", { index: "category", equals: ["fruit", "Apricot"] }, ["p-3"]],
    ["compound: startsWith of the first field", { index: "category", startsWith: "dr" }, ["p-2", "p-4"]],
    [
      "compound: from and before",
      { index: "category", from: ["drinks", "C"], before: ["fruit", "B"] },
      ["p-4", "p-1", "p-3"],
    ],
    ["a list's elements are keys each: equals", { index: "barcode", equals: "101" }, ["p-1"]],
    [
      "a row with several keys in the range comes once, at the first",
      { index: "barcode", startsWith: "10" },
      ["p-1", "p-5", "p-4"],
    ],
    ["in reverse too, at the last", { index: "barcode", startsWith: "10", reverse: true }, ["p-4", "p-1", "p-5"]],
    ["what has no key is not in the index", { index: "barcode" }, ["p-1", "p-5", "p-4", "p-2"]],
    ["a limit", { index: "name", limit: 2 }, ["p-1", "p-3"]],
    ["a limit of none", { limit: 0 }, []],
  ];
  for (const [name, query, expected] of cases)
    test(name, () =>
      shop(async (till) => {
        expect(await ids(till, query)).toEqual(expected);
      }),
    );

  for (const [name, query, expected] of cases)
    test(`counts: ${name}`, () =>
      shop(async (till) => {
        expect(await till.collections.products.count(query)).toBe(expected.length);
      }));

  test("counts under one key without reading a row", async () => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 1 }, { ...tea, id: "p-2", stock: 1 });
    const reads: string[] = [];
    const till = await world.open({ storage: memory({ faults: { before: ({ kind }) => void reads.push(kind) } }) });
    await world.clock.settle();
    reads.length = 0;
    expect(await till.collections.products.count({ index: "barcode", equals: "600" })).toBe(2);
    expect(await till.collections.products.count({ index: "barcode", equals: "600", limit: 1 })).toBe(1);
    expect(reads).not.toContain("scan");
    expect(await till.collections.products.count({ index: "barcode", from: "6" })).toBe(2);
    expect(reads).toContain("scan");
  });

  test("`first` gives the first row, or undefined", () =>
    shop(async (till) => {
      expect((await till.collections.products.first({ index: "name", from: "B" }))?.id).toBe("p-2");
      expect(await till.collections.products.first({ index: "name", equals: "X" })).toBeUndefined();
    }));

  test("`iterate` gives row by row, as many as there are", () =>
    shop(
      async (till) => {
        const seen: string[] = [];
        for await (const { id } of till.collections.products.iterate({ index: "name" })) seen.push(id);
        expect(seen).toHaveLength(450);
        expect(new Set(seen).size).toBe(450);
      },
      Array.from({ length: 450 }, (_, n) => ({ ...tea, id: `p-${n}` })),
    ));

  test("`iterate` stops when it is called off", () =>
    shop(async (till) => {
      const stop = new AbortController();
      const seen: string[] = [];
      const reading = (async () => {
        for await (const { id } of till.collections.products.iterate({}, { signal: stop.signal })) {
          seen.push(id);
          stop.abort(new Error("enough"));
        }
      })();
      await expect(reading).rejects.toThrow("enough");
      expect(seen).toEqual(["p-1"]);
    }));

  test("`find` of what was called off rejects with the reason", () =>
    shop(async (till) => {
      await expect(
        till.collections.products.find({}, { signal: AbortSignal.abort(new Error("gone")) }),
      ).rejects.toThrow("gone");
    }));

  test("shows own work that is not sent yet, by its new keys and no longer by the old ones", () =>
    shop(async (till, world) => {
      world.network.offline();
      await till.collections.products.update("p-2", { name: "Zider", barcodes: ["999"] });
      expect(await ids(till, { index: "name", startsWith: "Z" })).toEqual(["p-2"]);
      expect(await ids(till, { index: "name", equals: "Beer" })).toEqual([]);
      expect(await ids(till, { index: "barcode", equals: "200" })).toEqual([]);
    }));
});

describe("pages", () => {
  const pagesOf = async (till: Till, query: ProductQuery, limit: number) => {
    const seen: string[] = [];
    let startAfter: Awaited<ReturnType<Till["collections"]["products"]["find"]>>[number] | undefined;
    for (let page = 0; page < 60; page += 1) {
      const rows = await till.collections.products.find({
        ...query,
        limit,
        ...(startAfter && { startAfter }),
      } as ProductQuery);
      seen.push(...rows.map(({ id }) => id));
      startAfter = rows.at(-1);
      if (rows.length < limit) return seen;
    }
    throw new Error("the pages never end");
  };

  test("of any query and size cover everything exactly once, also where many rows have the same key", () =>
    shop(
      async (till) => {
        const query = fc.constantFrom<ProductQuery>(
          {},
          { reverse: true },
          { index: "name" },
          { index: "name", reverse: true },
          { index: "name", equals: "Same" },
          { index: "category", equals: "fruit" },
          { index: "category", equals: "fruit", reverse: true },
          { index: "barcode" },
          { index: "barcode", reverse: true },
          { index: "barcode", startsWith: "1" },
          { ids: ["p-5", "p-1", "p-33", "p-2"] },
          { ids: ["p-5", "p-1", "p-33", "p-2"], reverse: true },
        );
        await fc.assert(
          fc.asyncProperty(query, fc.integer({ min: 1, max: 13 }), async (one, limit) => {
            expect(await pagesOf(till, one, limit)).toEqual(await ids(till, one));
          }),
          { numRuns: 60 },
        );
      },
      Array.from({ length: 40 }, (_, n) => ({
        id: `p-${n}`,
        name: n % 3 === 0 ? "Same" : `N${n % 5}`,
        category: n % 2 === 0 ? "fruit" : "drinks",
        priceCents: n,
        barcodes: n % 4 === 0 ? [] : [`1${n % 6}`, `2${n % 6}`, `1${n % 7}`],
      })),
    ));

  test("go on behind a row that was deleted meanwhile", () =>
    shop(async (till) => {
      const [first] = await till.collections.products.find({ index: "name", limit: 1 });
      if (first === undefined) throw new Error("no row");
      await till.collections.products.delete(first.id);
      expect(await ids(till, { index: "name", startAfter: first, limit: 2 })).toEqual(["p-3", "p-2"]);
    }));
});

describe("a query that can't be meant", () => {
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ["an index that is not declared", { index: "price" }, "`index` must be one of barcode, category, name"],
    [
      "an index called like a member of every object",
      { index: "constructor" },
      "`index` must be one of barcode, category, name",
    ],
    ["a range without an index", { equals: "A" }, "a range needs an `index`"],
    ["ids and an index", { ids: ["p-1"], index: "name" }, "`ids` can't be combined with `index` or a range"],
    ["ids and a range", { ids: ["p-1"], equals: "A" }, "`ids` can't be combined with `index` or a range"],
    ["two kinds of range", { index: "name", equals: "A", from: "A" }, "a query has only one kind of range"],
    ["equals and startsWith", { index: "name", equals: "A", startsWith: "A" }, "a query has only one kind of range"],
    ["a key that is none", { index: "name", equals: true }, "the keys of a range must fit its index"],
    ["null as a key", { index: "name", equals: null }, "the keys of a range must fit its index"],
    [
      "a list for an index of one field",
      { index: "name", equals: ["A", "B"] },
      "the keys of a range must fit its index",
    ],
    [
      "more parts than the index has",
      { index: "category", equals: ["a", "b", "c"] },
      "the keys of a range must fit its index",
    ],
    ["an empty list", { index: "category", equals: [] }, "the keys of a range must fit its index"],
    ["a key that a variable did not have", { index: "barcode", equals: undefined }, "`equals` must not be undefined"],
    [
      "a start that a variable did not have",
      { index: "name", startsWith: undefined },
      "`startsWith` must not be undefined",
    ],
    ["startsWith a number", { index: "name", startsWith: 1 }, "`startsWith` must be a string"],
    ["a limit below nothing", { limit: -1 }, "`limit` must be a whole number, 0 or greater"],
    ["half a row", { limit: 1.5 }, "`limit` must be a whole number, 0 or greater"],
    [
      "a member that it does not have",
      { where: {} },
      "a query may only have ids, index, equals, from, before, startsWith, limit, reverse, startAfter",
    ],
    [
      "a page after a row that is not in its range",
      { index: "name", equals: "Beer", startAfter: { id: "p-1", name: "Apple" } },
      "`startAfter` must be a row of this query",
    ],
    [
      "a page of ids after one that is not among them",
      { ids: ["p-1", "p-2"], startAfter: { id: "p-9" } },
      "`startAfter` must be a row of this query",
    ],
  ];
  for (const [name, query, expected] of wrong)
    test(`is refused: ${name}`, () =>
      shop(async (till) => {
        const error: unknown = await till.collections.products.find(query as never).catch((cause: unknown) => cause);
        if (!isTillSyncError(error, "invalid_query")) throw error;
        expect(error.details).toMatchObject({ collection: "products", expected });
        expect(error.details.hint).not.toBe("");
      }));

  test("is refused by a live query at once, before anybody subscribes", () =>
    shop(async (till) => {
      expect(() => till.collections.products.live({ index: "price", limit: 1 } as never)).toThrow(
        /`index` must be one of/,
      );
    }));
});

describe("a live query", () => {
  const query = { index: "category", equals: "fruit", limit: 2 } as const;

  test("does nothing until somebody subscribes", async () => {
    await using world = new ClientWorld();
    const reads: string[] = [];
    const till = world.till({ storage: memory({ faults: { before: ({ kind }) => void reads.push(kind) } }) });
    const live = till.collections.products.live(query);
    await world.clock.settle();
    expect([reads, live.getSnapshot()]).toEqual([
      [],
      expect.objectContaining({ rows: [], loading: true, complete: false }),
    ]);
  });

  test("calls at once, then with what was read", () =>
    shop(async (till, world) => {
      const seen: [boolean, number, boolean][] = [];
      till.collections.products
        .live(query)
        .subscribe(({ loading, rows, more }) => seen.push([loading, rows.length, more]));
      await world.clock.settle();
      expect(seen).toEqual([
        [true, 0, false],
        [false, 2, true],
      ]);
    }));

  test("says when there is no more", () =>
    shop(async (till, world) => {
      const live = till.collections.products.live({ ...query, limit: 3 });
      live.subscribe(() => {});
      await world.clock.settle();
      expect(live.getSnapshot()).toMatchObject({ more: false, rows: [{ id: "p-1" }, { id: "p-3" }, { id: "p-5" }] });
    }));

  test("says when the collection has been pulled completely, so that an empty list means nothing", async () => {
    await using world = new ClientWorld();
    const till = world.till();
    const seen: boolean[] = [];
    till.collections.products.live(query).subscribe(({ complete }) => seen.push(complete));
    await world.clock.advance(1_000);
    expect([seen.at(0), seen.at(-1)]).toEqual([false, true]);
  });

  test("gives the same object until something changes", () =>
    shop(async (till, world) => {
      const live = till.collections.products.live(query);
      const calls: unknown[] = [];
      live.subscribe((snapshot) => calls.push(snapshot));
      await world.clock.settle();
      const before = live.getSnapshot();
      await till.collections.customers.create({ name: "Ann" });
      await till.collections.products.update("p-2", { priceCents: 1 });
      await world.clock.advance(60_000);
      expect([live.getSnapshot() === before, calls.length]).toEqual([true, 2]);
    }));

  test("keeps the rows that did not change as the objects they were", () =>
    shop(async (till, world) => {
      const live = till.collections.products.live(query);
      live.subscribe(() => {});
      await world.clock.settle();
      const [first, second] = live.getSnapshot().rows;
      await till.collections.products.update("p-1", { priceCents: 11 });
      await world.clock.settle();
      const [changed, same] = live.getSnapshot().rows;
      expect([changed === first, changed?.priceCents, same === second]).toEqual([false, 11, true]);
    }));

  test("tells of a row's sync state, which is no field of it", () =>
    shop(async (till, world) => {
      const live = till.collections.products.live(query);
      const states: string[] = [];
      live.subscribe((snapshot) => snapshot.rows.length > 0 && states.push(snapshot.meta("p-1").sync));
      await world.clock.settle();
      await till.collections.products.update("p-1", { priceCents: 11 });
      await world.clock.advance(1_000);
      expect(states).toEqual(["synced", "pending", "synced"]);
    }));

  test("refuses the state of a row that it does not show", () =>
    shop(async (till, world) => {
      const live = till.collections.products.live(query);
      live.subscribe(() => {});
      await world.clock.settle();
      expect(() => live.getSnapshot().meta("p-2")).toThrow(/not a row of this snapshot/);
    }));

  test("reads again only when its range is touched", async () => {
    await using world = new ClientWorld();
    await world.seed("products", ...catalogue);
    const scans: string[] = [];
    const storage = memory({
      faults: { before: ({ kind, table }) => void (kind === "scan" && scans.push(table ?? "")) },
    });
    const till = await world.open({ storage });
    till.collections.products.live(query).subscribe(() => {});
    await world.clock.settle();
    scans.length = 0;
    world.network.offline();
    await till.collections.products.update("p-2", { priceCents: 21 });
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.settle();
    expect(scans.filter((table) => table === "c:products")).toEqual([]);
    await till.collections.products.update("p-2", { category: "fruit" });
    await world.clock.settle();
    expect(scans.filter((table) => table === "c:products")).toHaveLength(1);
  });

  test("shows a row that enters the range, and drops one that leaves it", () =>
    shop(async (till, world) => {
      const live = till.collections.products.live({ ...query, limit: 10 });
      live.subscribe(() => {});
      await till.collections.products.update("p-2", { category: "fruit" });
      await till.collections.products.update("p-1", { category: "drinks" });
      await till.collections.products.delete("p-3");
      await world.clock.settle();
      expect(live.getSnapshot().rows.map(({ id }) => id)).toEqual(["p-2", "p-5"]);
    }));

  test("shows what a pull brought", () =>
    shop(async (till, world) => {
      const live = till.collections.products.live({ ...query, limit: 10 });
      live.subscribe(() => {});
      await world.seed("products", { id: "p-6", name: "Pear", category: "fruit", priceCents: 1 });
      await world.clock.advance(60_000);
      expect(live.getSnapshot().rows.map(({ id }) => id)).toEqual(["p-1", "p-3", "p-6", "p-5"]);
    }));

  test("does nothing when nobody is subscribed any more", async () => {
    await using world = new ClientWorld();
    await world.seed("products", ...catalogue);
    const scans: string[] = [];
    const storage = memory({
      faults: { before: ({ kind, table }) => void (kind === "scan" && scans.push(table ?? "")) },
    });
    const till = await world.open({ storage });
    const calls: unknown[] = [];
    const live = till.collections.products.live(query);
    const stop = live.subscribe((snapshot) => calls.push(snapshot));
    await world.clock.settle();
    stop();
    scans.length = 0;
    await till.collections.products.update("p-1", { priceCents: 11 });
    await world.clock.settle();
    expect([calls.length, scans.filter((table) => table === "c:products")]).toEqual([2, []]);
  });

  test("is up to date again for whoever subscribes later", () =>
    shop(async (till, world) => {
      const live = till.collections.products.live(query);
      live.subscribe(() => {})();
      await till.collections.products.update("p-1", { priceCents: 11 });
      live.subscribe(() => {});
      await world.clock.settle();
      expect(live.getSnapshot().rows[0]?.priceCents).toBe(11);
    }));

  test("tells every subscriber, and takes off only the one that leaves", () =>
    shop(async (till, world) => {
      const live = till.collections.products.live(query);
      const calls = { a: 0, b: 0 };
      const listener = (name: "a" | "b") => () => {
        calls[name] += 1;
      };
      const stop = live.subscribe(listener("a"));
      live.subscribe(listener("b"));
      await world.clock.settle();
      world.network.offline();
      stop();
      await till.collections.products.update("p-1", { priceCents: 11 });
      await world.clock.settle();
      expect(calls).toEqual({ a: 2, b: 3 });
    }));

  test("goes on after a listener has thrown; the others hear, and so does `error`", () =>
    shop(async (till, world) => {
      const errors: unknown[] = [];
      till.on("error", ({ cause }) => errors.push((cause as Error | undefined)?.message));
      const seen: number[] = [];
      world.network.offline();
      const live = till.collections.products.live(query);
      live.subscribe(({ rows }) => {
        if (rows.length > 0) throw new Error("the app's own");
      });
      live.subscribe(({ rows }) => seen.push(rows[0]?.priceCents ?? 0));
      await world.clock.settle();
      await till.collections.products.update("p-1", { priceCents: 11 });
      await world.clock.settle();
      expect(seen).toEqual([0, 10, 11]);
      expect(errors).toEqual(["the app's own", "the app's own"]);
    }));

  test("shows that it could not be read, and recovers", async () => {
    await using world = new ClientWorld();
    await world.seed("products", ...catalogue);
    let broken = false;
    const storage = memory({
      faults: {
        before({ kind, table }) {
          if (broken && kind === "scan" && table === "c:products") throw new Error("the disk");
        },
      },
    });
    const till = await world.open({ storage });
    const live = till.collections.products.live(query);
    live.subscribe(() => {});
    await world.clock.settle();
    broken = true;
    await till.collections.products.update("p-1", { priceCents: 11 });
    await world.clock.settle();
    expect(live.getSnapshot()).toMatchObject({ error: { code: "internal" }, rows: [{ priceCents: 10 }, {}] });
    broken = false;
    await till.collections.products.update("p-1", { priceCents: 12 });
    await world.clock.settle();
    expect(live.getSnapshot()).toMatchObject({ error: undefined, rows: [{ priceCents: 12 }, {}] });
  });

  test("of `watch` is the same", () =>
    shop(async (till, world) => {
      const seen: number[] = [];
      const stop = till.collections.products.watch(query, ({ rows }) => seen.push(rows.length));
      await world.clock.settle();
      stop();
      await till.collections.products.delete("p-1");
      await world.clock.settle();
      expect(seen).toEqual([0, 2]);
    }));
});
