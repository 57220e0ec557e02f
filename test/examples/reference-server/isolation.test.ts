import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
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

test("a till never sees the sales of another branch, and shares the catalogue with it", async () => {
  const server = await start();
  const owner = await register(server);
  await stock(server, owner.tenant.id);
  const north = await tillOf(server, owner.email, { branch: "b1" });
  const south = await tillOf(server, owner.email, { branch: "b2" });
  const sale = await north.till.transaction((tx) => {
    const made = tx.sales.create(saleOf(2, { branchId: "b1" }));
    tx.payments.create({ branchId: "b1", saleId: made.id, method: "cash", amountCents: 1_000, paidAt: 1 });
    tx.products.increment("tea", { stock: -2 });
    return made;
  });
  await north.till.collections.sales.settled(sale.id);
  const setting = { value: "Thank you!", branchId: "b1" };
  const raw = new RawTill(server, await loginTill(server, owner.email, { branch: "b1" }));
  await raw.push({ collection: "settings", entityId: "receipt-footer", action: "create", data: setting });

  await south.till.sync();
  expect(await south.till.collections.sales.find()).toEqual([]);
  expect(await south.till.collections.payments.find()).toEqual([]);
  expect(await south.till.collections.settings.find()).toEqual([]);
  expect(await south.till.collections.products.get("tea")).toMatchObject({ stock: 8 });

  const second = await tillOf(server, owner.email, { branch: "b1" });
  expect(await second.till.collections.sales.find()).toMatchObject([{ id: sale.id, orderNumber: "ORD-000001" }]);
  expect(await second.till.collections.settings.get("receipt-footer")).toMatchObject(setting);
});

test("a sale that names another branch than its till's is in nobody's books until a person has seen it", async () => {
  const server = await start();
  const owner = await register(server);
  await stock(server, owner.tenant.id);
  const raw = new RawTill(server, await loginTill(server, owner.email, { branch: "b1" }));
  const [result] = await raw.push({ collection: "sales", action: "create", data: saleOf(1, { branchId: "b2" }) });
  expect(result).toMatchObject({ status: "quarantined", error: { code: "branch_mismatch" } });
  expect(await rowsOf(server, owner.tenant.id, "sales")).toEqual([]);
});

test("what the server keeps for itself is in no pull", async () => {
  const server = await start();
  const owner = await register(server);
  await stock(server, owner.tenant.id);
  const tokens = await loginTill(server, owner.email);
  const raw = new RawTill(server, tokens);
  const [sale] = await raw.push({ collection: "sales", action: "create", data: saleOf(1) });
  expect(sale.status).toBe("applied");
  const { epoch } = await json(raw.post("/sync/register", { schemaVersion: 1 }));
  const collections = { sequences: null, saleBalances: null };
  const answer = await raw.post("/sync/pull", { epoch, marks: {}, schemaVersion: 1, collections });
  expect(await answer.text()).not.toContain("orders");
});

test("two tenants never meet, though devices, ids and numbers are the same", async () => {
  const server = await start();
  const [first, second] = [await register(server, "First"), await register(server, "Second")];
  await stock(server, first.tenant.id);
  await stock(server, second.tenant.id, [{ ...tea, name: "Other tea", priceCents: 500 }]);
  const device = { id: "till-1" };
  const tills = [
    new RawTill(server, await loginTill(server, first.email, { device })),
    new RawTill(server, await loginTill(server, second.email, { device })),
  ] as const;
  const sale = { id: randomUUID(), collection: "sales", entityId: "same", action: "create" };
  const [one] = await tills[0].push({ ...sale, data: saleOf(1) });
  const [other] = await tills[1].push({ ...sale, data: saleOf(2) });
  expect([one.status, other.status]).toEqual(["applied", "applied"]);
  expect([one.assigned, other.assigned]).toEqual([{ orderNumber: "ORD-000001" }, { orderNumber: "ORD-000001" }]);
  expect(await rowsOf(server, first.tenant.id, "sales")).toMatchObject([{ totalCents: 500 }]);
  expect(await rowsOf(server, second.tenant.id, "sales")).toMatchObject([{ totalCents: 1_000 }]);
  const till = await tillOf(server, second.email);
  expect(await till.till.collections.products.get("tea")).toMatchObject({ name: "Other tea" });
  expect((await till.till.collections.users.find()).map(({ name }) => name)).toEqual(["Second"]);

  // One owner's token does nothing to the other's tills.
  const revoked = await call(server, "/auth/devices/till-1/revoke", { token: first.accessToken, body: {} });
  expect(revoked.status).toBe(204);
  const [after] = await tills[1].push({ collection: "sales", action: "create", data: saleOf(1) });
  expect(after.status).toBe("applied");
});

test("tills know their colleagues by name, and no more", async () => {
  const server = await start();
  const owner = await register(server, "Olga");
  await addUser(server, owner, { roles: ["cashier"], branch: "b1" });
  const { till } = await tillOf(server, owner.email, { branch: "b1" });
  const users = await till.collections.users.find();
  expect(users.map(({ name, roles }) => [name, roles]).sort()).toEqual([
    ["Olga", ["owner"]],
    ["Somebody", ["cashier"]],
  ]);
  expect(JSON.stringify(users)).not.toMatch(/scrypt|@/);
  const elsewhere = await tillOf(server, owner.email, { branch: "b2" });
  expect(await elsewhere.till.collections.users.find()).toHaveLength(1);
});
