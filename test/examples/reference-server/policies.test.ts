import { randomUUID } from "node:crypto";
import { announceRestore } from "tillsync/server";
import { expect, test } from "vitest";
import { versionIn } from "../../server/support/world.ts";
import {
  addUser,
  call,
  json,
  loginTill,
  RawTill,
  register,
  rowsOf,
  saleOf,
  start,
  stock,
  tea,
  tillOf,
} from "./support.ts";

async function shop(rows: readonly object[] = [tea]) {
  const server = await start();
  const owner = await register(server);
  await stock(server, owner.tenant.id, rows);
  const tokens = await loginTill(server, owner.email);
  return { server, owner, tenant: owner.tenant.id, raw: new RawTill(server, tokens), tokens };
}

const create = (collection: string, data: object, entityId = randomUUID()) => ({
  collection,
  action: "create",
  data,
  entityId,
});
const codesOf = (result: { flags?: { code: string }[] }) => (result.flags ?? []).map(({ code }) => code);

test("a sale beyond the stock stands: stock goes below zero, and the difference is written down", async () => {
  const { server, owner, tenant } = await shop([{ ...tea, stock: 1 }]);
  const { till } = await tillOf(server, owner.email);
  const sale = await till.transaction((tx) => {
    tx.products.increment("tea", { stock: -3 });
    return tx.sales.create(saleOf(3));
  });
  const settled = await till.collections.sales.settled(sale.id);
  expect(settled).toMatchObject({ state: "applied", record: { orderNumber: "ORD-000001" } });
  await till.collections.products.settled("tea");
  expect((await till.collections.products.meta("tea"))?.flags).toMatchObject([{ code: "stock_discrepancy" }]);
  expect(await rowsOf(server, tenant, "products")).toMatchObject([{ id: "tea", stock: -2 }]);
  expect(await rowsOf(server, tenant, "sales")).toMatchObject([{ id: sale.id, totalCents: 1_500 }]);
});

test("a second short sale is short of all of it, and not of what was missing before", async () => {
  const { raw } = await shop([{ ...tea, stock: 1 }]);
  const take = { collection: "products", entityId: "tea", action: "increment", by: { stock: -2 } };
  const [first, second, back] = await raw.push(take, take, { ...take, by: { stock: 1 } });
  expect(first.flags).toEqual([{ code: "stock_discrepancy", discrepancyId: expect.any(String) }]);
  expect(second.flags).toEqual([{ code: "stock_discrepancy", discrepancyId: expect.any(String) }]);
  expect(back.flags ?? []).toEqual([]);
  expect(back.data.stock).toBe(-2);
});

test("a sale to a customer whom nobody knows is a sale to nobody, and says so", async () => {
  const { server, tenant, raw } = await shop();
  const [result] = await raw.push(create("sales", saleOf(1, { customerId: "c-404" })));
  expect(result.status).toBe("applied");
  expect(result.flags).toContainEqual({ code: "unknown_customer", message: "c-404" });
  expect(result.data).not.toHaveProperty("customerId");
  const [stored] = await rowsOf(server, tenant, "sales");
  expect(stored).toMatchObject({ orderNumber: "ORD-000001" });
  expect(stored).not.toHaveProperty("customerId");
});

test("a customer entered offline gets the points of the sale that came with them", async () => {
  const { server, owner, tenant } = await shop();
  const { till } = await tillOf(server, owner.email);
  till.pause("offline");
  const customer = await till.collections.customers.create({ name: "Ada" });
  const sale = await till.collections.sales.create(saleOf(5, { customerId: customer.id }));
  till.resume("offline");
  await till.collections.sales.settled(sale.id);
  expect(await rowsOf(server, tenant, "sales")).toMatchObject([{ customerId: customer.id }]);
  expect(await rowsOf(server, tenant, "customers")).toMatchObject([{ id: customer.id, points: 2 }]);
});

test("a sale of a product that the server does not know stands, flagged", async () => {
  const { server, tenant, raw } = await shop();
  const items = [{ lineId: "1", productId: "gone", name: "Something", quantity: 1, unitPriceCents: 500 }];
  const [result] = await raw.push(create("sales", saleOf(1, { items })));
  expect(result).toMatchObject({ status: "applied", assigned: { orderNumber: "ORD-000001" } });
  expect(codesOf(result)).toContain("unknown_product");
  expect(await rowsOf(server, tenant, "sales")).toHaveLength(1);
});

test("a product that was archived or dearer meanwhile changes nothing on the sale", async () => {
  const { raw } = await shop([{ ...tea, status: "archived", priceCents: 9_999 }]);
  const [result] = await raw.push(create("sales", saleOf(2)));
  expect(result).toMatchObject({ status: "applied", data: { totalCents: 1_000 } });
  expect(result.flags ?? []).toEqual([]);
});

test("lines that do not make the total: the sale and what came with it wait for a person, who lets them in", async () => {
  const { server, owner, tenant, raw } = await shop();
  const transaction = randomUUID();
  const results = await raw.push(
    { ...create("sales", saleOf(2, { totalCents: 999 })), transaction },
    { collection: "products", entityId: "tea", action: "increment", by: { stock: -2 }, transaction },
  );
  expect(results).toMatchObject([
    { status: "quarantined", error: { code: "arithmetic", message: "The lines make 1000, the total says 999" } },
    { status: "quarantined", error: { code: "transaction_quarantined" } },
  ]);
  expect(await rowsOf(server, tenant, "products")).toMatchObject([{ stock: 10 }]);

  const token = owner.accessToken;
  const { quarantined } = await json(call(server, "/sync/quarantine", { token }));
  expect(quarantined).toHaveLength(2);
  await call(server, `/sync/quarantine/${results[0].id}/release`, { token, body: {} });
  expect(await rowsOf(server, tenant, "sales")).toMatchObject([{ totalCents: 999 }]);
  expect(await rowsOf(server, tenant, "products")).toMatchObject([{ stock: 8 }]);
});

test("what a person lets in gets its number, its points and its place in the balance, and keeps the doubt as a flag", async () => {
  const { server, owner, tenant, raw } = await shop();
  await raw.push({ ...create("customers", { name: "Ada" }), entityId: "ada" });
  const sold = create("sales", saleOf(4, { totalCents: 2_999, customerId: "ada" }));
  const back = create("refunds", {
    saleId: sold.entityId,
    branchId: "main",
    items: [{ lineId: "1", productId: "tea", name: "Tea", quantity: 1, amountCents: 500 }],
    totalCents: 400,
    method: "cash",
    refundedAt: Date.now(),
  });
  const aside = await raw.push(sold, back);
  expect(aside.map((result: { status: string }) => result.status)).toEqual(["quarantined", "quarantined"]);

  const release = async ({ id }: { id: string }) => {
    const answer = await call(server, `/sync/quarantine/${id}/release`, { token: owner.accessToken, body: {} });
    return (await json(answer)).results[0];
  };
  const sale = await release(aside[0]);
  expect(sale).toMatchObject({ status: "applied", assigned: { orderNumber: "ORD-000001" } });
  expect(codesOf(sale)).toEqual(["arithmetic"]);
  expect(codesOf(await release(aside[1]))).toEqual(["arithmetic"]);
  expect(await rowsOf(server, tenant, "sales")).toMatchObject([{ orderNumber: "ORD-000001" }]);
  expect(await rowsOf(server, tenant, "customers")).toMatchObject([{ id: "ada", points: 2 }]);
  expect(await rowsOf(server, tenant, "saleBalances")).toMatchObject([{ id: sold.entityId, refundedCents: 400 }]);
});

test("discounts, rounding, and taxes on top are in the sum", async () => {
  const { raw } = await shop();
  const items = [
    { lineId: "1", productId: "tea", name: "Tea", quantity: 2, unitPriceCents: 500, discountCents: 100 },
    { lineId: "2", productId: "tea", name: "Tea", quantity: 1, unitPriceCents: 333, taxCents: 66, taxIncluded: false },
  ];
  const [result] = await raw.push(
    create("sales", saleOf(1, { items, discountCents: 50, roundingCents: 1, totalCents: 1_250 })),
  );
  expect(result.status).toBe("applied");
});

test("order numbers of two tills are unique and follow each other; a sale sent twice has one", async () => {
  const { server, owner, tenant } = await shop();
  const tills = await Promise.all([tillOf(server, owner.email), tillOf(server, owner.email)]);
  const sold = await Promise.all(
    tills.flatMap(({ till }) => [1, 2, 3, 4, 5].map(() => till.collections.sales.create(saleOf(1)))),
  );
  await Promise.all(tills.map(({ till }) => till.sync()));
  const numbers = (await rowsOf(server, tenant, "sales")).map(({ orderNumber }) => orderNumber);
  expect(sold).toHaveLength(10);
  // In the order of their commits, without a gap.
  expect(numbers).toEqual(Array.from({ length: 10 }, (_, n) => `ORD-${String(n + 1).padStart(6, "0")}`));

  const raw = new RawTill(server, await loginTill(server, owner.email));
  const sale = { ...create("sales", saleOf(1)), id: randomUUID(), sequence: 1, occurredAt: new Date().toISOString() };
  const [first] = await raw.push(sale);
  const [again] = await raw.push(sale);
  expect([first.assigned, again.assigned, again.replayed]).toEqual([
    { orderNumber: "ORD-000011" },
    { orderNumber: "ORD-000011" },
    true,
  ]);
});

test("no till moves the counter of the order numbers", async () => {
  const { raw } = await shop();
  const [, moved, sale] = await raw.push(
    create("sales", saleOf(1)),
    { collection: "sequences", entityId: "orders", action: "increment", by: { last: 100 } },
    create("sales", saleOf(1)),
  );
  expect(moved).toMatchObject({ status: "quarantined", error: { code: "not_permitted" } });
  expect(sale.assigned).toEqual({ orderNumber: "ORD-000002" });
});

test("a sale that is set aside takes no number", async () => {
  const { raw } = await shop();
  const results = await raw.push(
    create("sales", saleOf(1)),
    create("sales", saleOf(1, { totalCents: 1 })),
    create("sales", saleOf(1)),
  );
  expect(results.map((result) => result.assigned?.orderNumber)).toEqual(["ORD-000001", undefined, "ORD-000002"]);
});

test("after a restore, numbers of the lost history come back with their sales and are given to no other", async () => {
  const { server, owner, tenant } = await shop();
  const { till } = await tillOf(server, owner.email);
  const before = await till.collections.sales.create(saleOf(1));
  await till.collections.sales.settled(before.id);
  await announceRestore(server.store, tenant);
  const raw = new RawTill(server, await loginTill(server, owner.email));
  const [after] = await raw.push(create("sales", saleOf(1)));
  expect(after.assigned).toEqual({ orderNumber: "ORD-2-000002" });
  await till.sync();
  const rows = await rowsOf(server, tenant, "sales");
  expect(rows.map(({ orderNumber }) => orderNumber).sort()).toEqual(["ORD-000001", "ORD-2-000002"]);
});

test("a backup that is restored again has a series of its own if each of its restores is announced again", async () => {
  const { server, owner, tenant } = await shop();
  await announceRestore(server.store, tenant); // as after the first restore, of which the backup knows nothing
  await announceRestore(server.store, tenant);
  const raw = new RawTill(server, await loginTill(server, owner.email));
  const [sale] = await raw.push(create("sales", saleOf(1)));
  expect(sale.assigned).toEqual({ orderNumber: "ORD-3-000001" });
});

test("what is given back twice is flagged on the second refund, by line", async () => {
  const { raw } = await shop();
  const sale = create("sales", saleOf(2));
  const refund = (quantity: number) =>
    create("refunds", {
      branchId: "main",
      saleId: sale.entityId,
      items: [{ lineId: "1", productId: "tea", name: "Tea", quantity, amountCents: 1 }],
      totalCents: 1,
      method: "cash",
      refundedAt: Date.now(),
    });
  const [, first, second, third] = await raw.push(sale, refund(1), refund(1), refund(1));
  expect(codesOf(first)).toEqual([]);
  expect(codesOf(second)).toEqual([]);
  expect(third).toMatchObject({ status: "applied", flags: [{ code: "over_refund", message: "1: 3 of 2" }] });
});

test("refunds of lines that they make up don't let the balance grow, nor what is said of it", async () => {
  const { server, tenant, raw } = await shop();
  const sale = create("sales", saleOf(1));
  const refund = (from: number) =>
    create("refunds", {
      branchId: "main",
      saleId: sale.entityId,
      items: Array.from({ length: 400 }, (_, n) => {
        return { lineId: `x-${from + n}`, productId: "tea", name: "Tea", quantity: 1, amountCents: 0 };
      }),
      totalCents: 0,
      method: "cash",
      refundedAt: Date.now(),
    });
  const [, first, second] = await raw.push(sale, refund(0), refund(400));
  const named = "x-0: 1 of 0, x-1: 1 of 0, x-2: 1 of 0, x-3: 1 of 0, x-4: 1 of 0";
  expect(first.flags).toEqual([{ code: "over_refund", message: `${named}, 395 more` }]);
  expect(second.flags).toEqual([
    { code: "counter_out_of_range", message: `saleBalances/${sale.entityId}/refunded` },
    { code: "over_refund", message: `${named}, 495 more` },
  ]);
  const [balance] = await rowsOf(server, tenant, "saleBalances");
  expect(balance?.refunded).toHaveLength(500);
});

test("a refund that overtakes its sale stands, and the sale says what is wrong when it comes", async () => {
  const { raw } = await shop();
  const saleId = randomUUID();
  const refund = {
    branchId: "main",
    saleId,
    items: [{ lineId: "1", productId: "tea", name: "Tea", quantity: 3, amountCents: 1_500 }],
    totalCents: 1_500,
    method: "cash",
    refundedAt: Date.now(),
  };
  const [early] = await raw.push(create("refunds", refund));
  expect(early.status).toBe("applied");
  expect(codesOf(early)).toContain("unknown_sale");
  const [sale] = await raw.push(create("sales", saleOf(2), saleId));
  expect(codesOf(sale)).toEqual(["over_refund"]);
  const [blind] = await raw.push(create("refunds", { ...refund, saleId: undefined }));
  expect(codesOf(blind)).toEqual(["without_sale"]);
});

test("money that was taken twice is two payments and a flag", async () => {
  const { raw } = await shop();
  const sale = create("sales", saleOf(1));
  const payment = (more: object) =>
    create("payments", {
      branchId: "main",
      saleId: sale.entityId,
      method: "cash",
      amountCents: 500,
      paidAt: 1,
      ...more,
    });
  const [, first, second, odd] = await raw.push(
    sale,
    payment({ tenderedCents: 1_000, changeCents: 500 }),
    payment({}),
    payment({ amountCents: 0, tenderedCents: 1_000, changeCents: 1 }),
  );
  expect(codesOf(first)).toEqual([]);
  expect(codesOf(second)).toEqual(["overpaid"]);
  expect(codesOf(odd)).toEqual(["arithmetic", "overpaid"]);
});

test("a sale that comes after its shift was closed belongs to that shift; one from last month is as good as any", async () => {
  const { server, tenant, raw } = await shop();
  const event = (type: string) =>
    create("shiftEvents", { branchId: "main", shiftId: "s-1", type, happenedAt: Date.now(), cashierId: "u-1" });
  await raw.push(event("opened"), event("closed"));
  const monthAgo = new Date(Date.now() - 30 * 24 * 3_600_000).toISOString();
  const [late, again] = await raw.push(
    { ...create("sales", saleOf(1, { shiftId: "s-1" })), occurredAt: monthAgo },
    event("closed"),
  );
  expect(late).toMatchObject({ status: "applied", data: { shiftId: "s-1" } });
  expect(codesOf(late)).toEqual(["late_arrival"]);
  expect(codesOf(again)).toEqual(["already_closed"]);
  expect(await rowsOf(server, tenant, "shifts")).toMatchObject([{ id: "s-1", closedBy: "u-1", openedBy: "u-1" }]);
});

test("a fact from the future tells of a wrong clock", async () => {
  const { raw } = await shop();
  const occurredAt = new Date(Date.now() + 3_600_000).toISOString();
  const [result] = await raw.push({ ...create("sales", saleOf(1)), occurredAt });
  expect([result.status, codesOf(result)]).toEqual(["applied", ["clock_ahead"]]);
});

test("each role may do its own: edits beyond it are refused, facts beyond it wait for a person", async () => {
  const { server, owner } = await shop();
  const baseVersion = await versionIn(server.store, owner.tenant.id, "products", "tea");
  const price = { collection: "products", entityId: "tea", action: "update", patch: { priceCents: 1 }, baseVersion };
  const archive = { collection: "products", entityId: "tea", action: "delete", baseVersion };
  const purchase = create("purchases", {
    branchId: "main",
    supplier: "Leaf & Co",
    items: [{ productId: "tea", name: "Tea", quantity: 10, unitCostCents: 100 }],
    totalCents: 1_000,
    receivedAt: Date.now(),
  });
  const shift = { collection: "shifts", action: "create", data: { branchId: "main" } };
  const customer = create("customers", { name: "Ada" });
  const erase = { collection: "customers", entityId: customer.entityId, action: "delete" };
  const as = async (roles: readonly string[]) => {
    const known = await versionIn(server.store, owner.tenant.id, "customers", customer.entityId);
    const raw = new RawTill(server, await loginTill(server, await addUser(server, owner, { roles })));
    const operations = [
      price,
      archive,
      { ...purchase, entityId: randomUUID() },
      shift,
      customer,
      { ...erase, baseVersion: known },
    ];
    return (await raw.push(...operations)).map(({ status, error }) => error?.code ?? status);
  };
  expect(await as(["cashier"])).toEqual([
    "not_permitted",
    "not_permitted",
    "not_permitted",
    "not_permitted",
    "applied",
    "not_permitted",
  ]);
  expect((await as(["manager"])).slice(0, 4)).toEqual(["applied", "not_permitted", "applied", "not_permitted"]);
  expect((await as(["owner"])).at(-1)).toBe("applied");
});
