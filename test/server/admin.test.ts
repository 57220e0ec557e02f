import { defineCollection } from "tillsync/schema";
import { memoryStore } from "tillsync/server/memory";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { announceRestore, importRows, readRows } from "../../src/server/index.ts";
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
