import { describe, expect, test } from "vitest";
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
