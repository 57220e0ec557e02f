/**
 * One till fills a counter: what others sell is booked all the same [H4]. The attack is V9 of the security review: one step of
 * 2^53 once set every later sale of a product aside, and every sale to a customer, in all branches.
 */
import { expect, test } from "vitest";
import { addUser, loginTill, RawTill, register, rowsOf, saleOf, start, stock } from "./support.ts";

const codes = (result: { readonly flags?: readonly { readonly code: string }[] }) =>
  (result.flags ?? []).map(({ code }) => code).filter((code) => code === "counter_out_of_range");
const step = (collection: string, entityId: string, by: object) => ({ action: "increment", collection, entityId, by });

async function shop() {
  const server = await start();
  const owner = await register(server);
  await stock(server, owner.tenant.id);
  const till = async (branch: string) => {
    const email = await addUser(server, owner, { roles: ["cashier", "manager"], branch });
    return new RawTill(server, await loginTill(server, email, { branch }));
  };
  const [attacker, victim] = [await till("north"), await till("south")];
  await attacker.push({ collection: "customers", action: "create", entityId: "ada", data: { name: "Ada" } });
  let sales = 0;
  /** A sale with its step, in one transaction. */
  const sell = (more: object = {}) => {
    sales += 1;
    const transaction = `t-${sales}`;
    return victim.push(
      { collection: "sales", action: "create", data: saleOf(1, { branchId: "south", ...more }), transaction },
      { ...step("products", "tea", { stock: -1 }), transaction },
    );
  };
  return { server, tenant: owner.tenant.id, attacker, victim, sell };
}

test("steps that are too large are left out, and nobody's sales with them", async () => {
  const { server, tenant, attacker, sell } = await shop();
  const hit = await attacker.push(
    step("products", "tea", { stock: -Number.MAX_SAFE_INTEGER + 10 }),
    step("customers", "ada", { points: Number.MAX_SAFE_INTEGER - 1 }),
  );
  expect(hit.map(({ status, error }) => [status, error.code])).toEqual([
    ["quarantined", "counter_out_of_range"],
    // Points come from sales, and from no till's step (V6).
    ["quarantined", "not_permitted"],
  ]);
  const [sale, moved] = await sell({ customerId: "ada", items: [line(400)], totalCents: 200_000 });
  expect([sale.status, moved.status, codes(sale)]).toEqual(["applied", "applied", []]);
  expect(await rowsOf(server, tenant, "products")).toMatchObject([{ stock: 9 }]);
  expect(await rowsOf(server, tenant, "customers")).toMatchObject([{ points: 200 }]);
});

const line = (quantity: number) => ({ lineId: "1", productId: "tea", name: "Tea", quantity, unitPriceCents: 500 });

test("a counter that many steps have filled takes no sale along: it is applied, and says so", async () => {
  const { server, tenant, attacker, sell } = await shop();
  const down = Array.from({ length: 101 }, () => step("products", "tea", { stock: -10_000_000 }));
  // Only sales give points: one gives a million at most.
  const up = Array.from({ length: 101 }, () => ({
    collection: "sales",
    action: "create",
    data: saleOf(1, {
      branchId: "north",
      customerId: "ada",
      items: [{ lineId: "1", productId: "tea", name: "Tea", quantity: 1, unitPriceCents: 1e9 }],
      totalCents: 1e9,
    }),
  }));
  const filled = await attacker.push(...down, ...up);
  expect(filled.filter(({ status }) => status === "quarantined").length).toBe(1);
  expect(filled.filter((result) => codes(result).length > 0).length).toBe(1);
  // To the last piece.
  const [last] = await attacker.push(step("products", "tea", { stock: -10 }));
  expect(last.status).toBe("applied");
  const [sale, moved] = await sell({ customerId: "ada", items: [line(400)], totalCents: 200_000 });
  expect([sale.status, codes(sale).length, moved.status, moved.error?.code]).toEqual([
    "applied",
    2,
    "quarantined",
    "counter_out_of_range",
  ]);
  expect(await rowsOf(server, tenant, "sales")).toHaveLength(up.length + 1);
  expect(await rowsOf(server, tenant, "customers")).toMatchObject([{ points: 100_000_000 }]);
});

test("the sums of a sale's payments and refunds end at ten billion, and no later payment is set aside", async () => {
  const { server, tenant, victim, sell } = await shop();
  const [sale] = await sell();
  const [row] = await rowsOf(server, tenant, "sales");
  const most = Number.MAX_SAFE_INTEGER;
  const paid = (amountCents: number) => ({
    collection: "payments",
    action: "create",
    data: { branchId: "south", saleId: row?.id, method: "cash", amountCents, paidAt: 1 },
  });
  const back = {
    collection: "refunds",
    action: "create",
    data: {
      branchId: "south",
      saleId: row?.id,
      items: [{ lineId: "1", productId: "tea", name: "Tea", quantity: most, amountCents: most }],
      totalCents: most,
      method: "cash",
      refundedAt: 1,
    },
  };
  expect(sale.status).toBe("applied");
  const results = await victim.push(paid(most), paid(most), back, back, paid(1));
  expect(results.map(({ status }) => status)).toEqual(Array(5).fill("applied"));
  expect(codes(results[4])).not.toEqual([]);
  expect(await rowsOf(server, tenant, "saleBalances")).toMatchObject([
    { paidCents: 1e12, refundedCents: 1e12, refunded: [{ lineId: "1", quantity: 1e12 }] },
  ]);
});
