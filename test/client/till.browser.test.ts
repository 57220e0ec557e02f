/** A whole till as users run it: the default storage of a real browser, the real transport, the real handler. */
import { createSyncClient, http, type SyncClient } from "tillsync";
import { createSyncHandler, importRows, readRows } from "tillsync/server";
import { memoryStore } from "tillsync/server/memory";
import { afterEach, expect, test } from "vitest";
import { collections, saleOf, tea } from "../support/shop.ts";

const everyone = {
  scope: "tenant",
  allow: { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" },
} as const;
const facts = { scope: "tenant", allow: { read: "everyone", create: "everyone" } } as const;

type Till = SyncClient<typeof collections>;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const till of open.splice(0)) await till.close();
});

/** A shop in the page: its server, and a connection to it that can be cut. */
async function openShop() {
  const store = memoryStore();
  const shop = { online: true, loseAnswers: 0, pushes: 0 };
  const handler = createSyncHandler({
    store,
    collections,
    policies: { products: everyone, customers: everyone, sales: facts, payments: facts },
    authenticate: () => ({ tenant: "shop", branch: "main", scopes: [] }),
  });
  await importRows({ store, collections, tenant: "shop", collection: "products", rows: [{ ...tea, stock: 10 }] });
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    if (!shop.online) throw new TypeError("Failed to fetch");
    if (request.url.endsWith("/push")) shop.pushes += 1;
    const response = await handler(request);
    if (request.url.endsWith("/push") && shop.loseAnswers-- > 0) throw new TypeError("Failed to fetch");
    return response;
  };
  const name = `shop-${crypto.randomUUID()}`;
  return Object.assign(shop, {
    /** A till of this shop. Tills with the same `database` share their local store. */
    till(database = name): Till {
      const till = createSyncClient({
        name: database,
        transport: http({ url: "http://shop.test/sync", getToken: () => "token", live: "off", fetch }),
        collections,
        sync: { intervalMs: 1_000, retry: { minMs: 10, maxMs: 20 } },
      });
      open.push(till);
      return till;
    },
    async rows<N extends keyof typeof collections>(collection: N) {
      const rows: (typeof collections)[N]["~shape"]["record"][] = [];
      for await (const row of readRows({ store, collections, tenant: "shop", collection })) rows.push(row as never);
      return rows;
    },
  });
}

function sell(till: Till) {
  return till.transaction((tx, { now }) => {
    tx.products.increment("p-1", { stock: -2 });
    const sale = tx.sales.create(saleOf(2, now));
    tx.payments.create({ saleId: sale.id, amountCents: sale.totalCents });
    return sale;
  });
}

test("a sale made offline outlives its client, and reaches the server once though the first answer is lost", async () => {
  const shop = await openShop();
  const first = shop.till();
  await first.firstSync();
  shop.online = false;
  const sale = await sell(first);
  await first.close();

  shop.loseAnswers = 1;
  const second = shop.till();
  expect(await second.collections.sales.get(sale.id)).toEqual(sale);
  expect((await second.collections.products.get("p-1"))?.stock).toBe(8);
  expect(second.status.pending.count).toBe(3);
  shop.online = true;
  await second.sync();
  expect((await second.collections.sales.settled(sale.id)).state).toBe("applied");

  expect(await shop.rows("sales")).toHaveLength(1);
  expect((await shop.rows("products"))[0]?.stock).toBe(8);
  expect((await second.collections.products.get("p-1"))?.stock).toBe(8);
  expect(shop.pushes).toBeGreaterThan(0);
});

test("two clients of one database see each other's writes, and one of them sends", async () => {
  const shop = await openShop();
  const [one, other] = [shop.till(), shop.till()];
  await Promise.all([one.firstSync(), other.firstSync()]);
  const seen = new Promise<void>((resolve) => {
    other.collections.sales.watch({ limit: 10 }, ({ rows }) => {
      if (rows.length > 0) resolve();
    });
  });
  const sale = await sell(one);
  await seen;
  expect((await other.collections.sales.settled(sale.id)).state).toBe("applied");
  expect(await shop.rows("sales")).toHaveLength(1);
});

test("a thousand products arrive page by page and are found by barcode and by page of a category", async () => {
  const shop = await openShop();
  const till = shop.till();
  await till.collections.products.createMany(
    Array.from({ length: 1_000 }, (_, index) => ({
      id: `p-${index + 10}`,
      name: `Product ${String(index).padStart(4, "0")}`,
      category: index % 2 ? "food" : "drinks",
      barcodes: [`4${index}`, `5${index}`],
      priceCents: index,
      stock: 3,
    })),
  );
  await till.sync();
  const fresh = shop.till(`fresh-${crypto.randomUUID()}`);
  await fresh.firstSync();
  expect(await fresh.collections.products.count()).toBe(1_001);
  expect((await fresh.collections.products.first({ index: "barcode", equals: "5777" }))?.id).toBe("p-787");
  const page = await fresh.collections.products.find({ index: "category", equals: ["food"], limit: 3 });
  const next = await fresh.collections.products.find({
    index: "category",
    equals: ["food"],
    limit: 3,
    startAfter: page.at(-1),
  });
  expect([...page, ...next].map(({ name }) => name)).toEqual([
    "Product 0001",
    "Product 0003",
    "Product 0005",
    "Product 0007",
    "Product 0009",
    "Product 0011",
  ]);
});
