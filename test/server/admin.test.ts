import { defineCollection } from "tillsync/schema";
import { memoryStore } from "tillsync/server/memory";
import { createTestShop } from "tillsync/testing";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { announceRestore, importRows, readRows } from "../../src/server/index.ts";
import type { RecordRow, TenantClock } from "../../src/server/ports/rows.ts";
import { tea, collections as tillCollections } from "../support/shop.ts";
import { openTill, shopServer } from "./support/http.ts";
import { collections } from "./support/shop.ts";
import { count, edit } from "./support/world.ts";

const base = { collections, tenant: "shop" } as const;

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

describe("importRows", () => {
  test("writes batches, which tills pull like any other change, and reads them back", async () => {
    const server = shopServer();
    const rows = Array.from({ length: 1_203 }, (_, n) => ({
      id: `p-${n}`,
      name: ` Product ${n} `,
      priceCents: n,
      stock: 5,
    }));
    expect(await importRows({ ...base, store: server.store, collection: "products", rows })).toBe(1_203);
    const till = await openTill(server);
    const first = await till.pull("products");
    expect(first.pages.products).toMatchObject({ more: true, remaining: 203 });
    expect(first.pages.products?.changes[7]).toMatchObject({ id: "p-7", data: { name: "Product 7", stock: 5 } });
    expect((await till.pull("products")).pages.products?.changes).toHaveLength(203);
    const found = await all(readRows({ ...base, store: server.store, collection: "products" }));
    expect(found).toHaveLength(1_203);
    expect(found[3]).toEqual({ id: "p-3", name: "Product 3", priceCents: 3, stock: 5 });
  });
  test("it overwrites what is there; counters only if they are named", async () => {
    const server = shopServer();
    const till = await openTill(server);
    await importRows({
      ...base,
      store: server.store,
      collection: "products",
      rows: [{ id: "p-1", name: "Cola", stock: 5 }],
    });
    await till.push(count("p-1", -2));
    await importRows({ ...base, store: server.store, collection: "products", rows: [{ id: "p-1", name: "Fanta" }] });
    expect(await all(readRows({ ...base, store: server.store, collection: "products" }))).toEqual([
      { id: "p-1", name: "Fanta", priceCents: 0, stock: 3 },
    ]);
    const [result] = await till.push(edit("p-1", 0, { name: "Sprite" }));
    expect(result).toMatchObject({ status: "conflict", server: { data: { name: "Fanta" } } });
  });
  describe("of rows that are there already", () => {
    const tea = { id: "p-1", name: "Tea", priceCents: 250 };
    async function shopWithTea() {
      const server = shopServer();
      const send = (rows: readonly { readonly id: string; readonly [field: string]: unknown }[], more: object = {}) =>
        importRows({ ...base, store: server.store, collection: "products", rows, ...more });
      const stored = async () => (await all(readRows({ ...base, store: server.store, collection: "products" })))[0];
      const state = async () => {
        const ids = ["p-1", "p-2"].map((id) => ({ collection: "products", id }));
        return await server.store.read("shop", function* () {
          const [clock, rows] = yield [{ kind: "clock" }, { kind: "records", keys: ids }];
          return { clock, rows } as { clock: TenantClock; rows: RecordRow[] };
        });
      };
      const till = await openTill(server);
      await send([{ ...tea, stock: 5 }]);
      return { server, till, send, stored, state };
    }

    test("nothing is written if nothing differs: no version, no position, no commit", async () => {
      const { till, send, state } = await shopWithTea();
      await till.push(count("p-1", -2));
      const before = await state();
      expect(await send([tea])).toBe(1);
      // The members of a row are in no order, and a counter may be named if it has this value.
      expect(await send([{ id: "p-1", stock: 3, priceCents: 250, name: " Tea " }])).toBe(1);
      expect(await state()).toEqual(before);
    });

    test("only what differs is written: the rows beside it keep their versions", async () => {
      const { send, state } = await shopWithTea();
      const before = await state();
      expect(await send([tea, { ...tea, id: "p-2" }])).toBe(2);
      const { rows, clock } = await state();
      expect(rows.find(({ id }) => id === "p-1")).toEqual(before.rows[0]);
      expect(rows).toHaveLength(2);
      expect(clock.position).toBe(before.clock.position + 2); // the row, and the commit
    });

    test("an edit of another field, made before, does not collide; one of the same field does", async () => {
      const { till, send, stored } = await shopWithTea();
      const [created] = (await till.pull("products")).pages.products?.changes ?? [];
      await send([{ ...tea, name: "Green tea" }]);
      const version = created?.version as number;
      expect(await till.push(edit("p-1", version, { priceCents: 300 }))).toMatchObject([{ status: "applied" }]);
      expect(await stored()).toEqual({ id: "p-1", name: "Green tea", priceCents: 300, stock: 5 });
      const [collided] = await till.push(edit("p-1", version, { name: "Black tea" }));
      expect(collided).toMatchObject({ status: "conflict", fields: ["name"] });
    });

    test("an edit that a till made offline stands if the import changed nothing", async () => {
      const { till, send, stored } = await shopWithTea();
      const [created] = (await till.pull("products")).pages.products?.changes ?? [];
      await send([tea]);
      const name = { name: "Green tea" };
      expect(await till.push(edit("p-1", created?.version as number, name))).toMatchObject([{ status: "applied" }]);
      expect(await stored()).toMatchObject(name);
    });

    test("a counter that is named gets its value, and no field is stamped for it", async () => {
      const { send, stored, state } = await shopWithTea();
      const before = await state();
      await send([{ ...tea, stock: 9 }]);
      expect(await stored()).toMatchObject({ stock: 9 });
      expect((await state()).rows[0]?.fields).toEqual(before.rows[0]?.fields);
      expect((await state()).rows[0]?.version).toBeGreaterThan(before.rows[0]?.version as number);
    });

    test("a row that only moves to another branch is written", async () => {
      const { send, state } = await shopWithTea();
      const before = await state();
      await send([tea], { branch: () => "b-2" });
      const { rows } = await state();
      expect(rows[0]?.scope).not.toBe(before.rows[0]?.scope);
      expect(rows[0]?.fields).toEqual(before.rows[0]?.fields);
    });

    test("a row that was deleted comes back, with all its fields new", async () => {
      const { till, send, stored, state } = await shopWithTea();
      const { version = 0 } = (await state()).rows[0] ?? {};
      await till.push({ ...edit("p-1", version, {}), action: "delete", patch: undefined } as never);
      expect(await stored()).toBeUndefined();
      await send([tea]);
      expect(await stored()).toMatchObject(tea);
      const [row] = (await state()).rows;
      expect(Object.values(row?.fields ?? {}).every(([stamp]) => stamp === row?.version)).toBe(true);
    });

    test("the same row twice in one import: the second is compared with the first", async () => {
      const { send, stored } = await shopWithTea();
      await send([{ ...tea, name: "A" }, tea]);
      expect(await stored()).toMatchObject(tea);
    });
  });

  test("an optional field that the row lacks any more is removed, and counts as written", async () => {
    const notes = { notes: defineCollection({ schema: z.object({ text: z.string(), tag: z.string().optional() }) }) };
    const target = { collections: notes, tenant: "shop", collection: "notes", store: memoryStore() } as const;
    await importRows({ ...target, rows: [{ id: "n-1", text: "a", tag: "t" }] });
    await importRows({ ...target, rows: [{ id: "n-1", text: "a" }] });
    expect(await all(readRows(target))).toEqual([{ id: "n-1", text: "a" }]);
    const row = await target.store.read("shop", function* () {
      const [rows] = yield [{ kind: "records", keys: [{ collection: "notes", id: "n-1" }] }];
      return (rows as readonly RecordRow[])[0];
    });
    const { tag, text } = row?.fields ?? {};
    expect([tag?.[0], tag?.[0] === text?.[0]]).toEqual([row?.version, false]);
  });

  test("what the schema refuses stops it, naming the row", async () => {
    const { store } = shopServer();
    const rows = [
      { id: "p-1", name: "Cola" },
      { id: "p-2", name: "" },
    ];
    await expect(importRows({ ...base, store, collection: "products", rows })).rejects.toMatchObject({
      code: "validation_failed",
      details: { id: "p-2" },
    });
    await expect(
      importRows({ ...base, store, collection: "products", rows: [{ id: "a b", name: "x" }] }),
    ).rejects.toMatchObject({ code: "invalid_option" });
    await expect(importRows({ ...base, store, collection: "ghosts" as never, rows: [] })).rejects.toMatchObject({
      code: "invalid_option",
    });
  });
});

describe("importRows of a counter", () => {
  const tanks = defineCollection({
    schema: z.object({ litres: z.string().default("0"), level: z.number().default(0) }),
    counters: ["litres", "level"],
  });
  const target = { collections: { tanks }, tenant: "shop", collection: "tanks" } as const;

  test.each([{ level: 1.5 }, { litres: "1".repeat(16) }, { litres: "12,5" }, { level: null }])(
    "refuses %j, which can't be counted with: the stock would be lost in silence",
    async (counters) => {
      const store = memoryStore();
      const rows = [{ id: "k-1", ...counters }];
      await expect(importRows({ ...target, store, rows })).rejects.toMatchObject({
        code: "validation_failed",
        details: { id: "k-1", issues: [{ path: Object.keys(counters) }] },
      });
      expect(await all(readRows({ ...target, store }))).toEqual([]);
    },
  );
  test("takes what can be", async () => {
    const store = memoryStore();
    await importRows({ ...target, store, rows: [{ id: "k-1", litres: "-12.50", level: 3 }, { id: "k-2" }] });
    expect(await all(readRows({ ...target, store }))).toEqual([
      { id: "k-1", litres: "-12.50", level: 3 },
      { id: "k-2", litres: "0", level: 0 },
    ]);
  });
});

describe("announceRestore [C8.2]", () => {
  test("begins a new epoch before the first till calls", async () => {
    const server = shopServer();
    const till = await openTill(server);
    const epoch = await announceRestore(server.store, "shop");
    expect(await till.pushRaw([]).then((response) => response.json())).toMatchObject({
      code: "resync_required",
      epoch,
    });
  });
});

test("an imported counter is a new start: what a till sold offline before the import is taken off it afterwards", async () => {
  const { products } = tillCollections;
  await using shop = createTestShop({ collections: { products } });
  await shop.server.seed("products", [{ ...tea, stock: 10 }]);
  const till = shop.till();
  await till.start();
  await shop.clock.advance(10_000);
  await till.collections.products.increment(tea.id, { stock: -3 });
  await shop.clock.advance(10_000);
  await shop.server.seed("products", [{ ...tea, priceCents: 270 }]);
  expect(await shop.server.rows("products")).toMatchObject([{ priceCents: 270, stock: 7 }]);

  shop.network.offline();
  await till.collections.products.increment(tea.id, { stock: -2 });
  await shop.server.seed("products", [{ ...tea, priceCents: 280, stock: 7 }]);
  shop.network.online();
  await shop.clock.advance(120_000);
  expect(await shop.server.rows("products")).toMatchObject([{ priceCents: 280, stock: 5 }]);
  expect(await till.collections.products.get(tea.id)).toMatchObject({ priceCents: 280, stock: 5 });
});
