/** What the demo shop's server says of its sales, as another till of the shop gets to see it. */
import { createSyncClient, http, type RecordOf } from "tillsync";
import { memory } from "tillsync/storage/memory";
import { expect } from "vitest";
import { collections } from "../../../examples/reference-server/collections.ts";
import { DEMO } from "../../../examples/reference-server/seed.ts";
import { PATIENCE_MS } from "./pos-web.ts";

/** @param url of the server */
export async function account(url: string) {
  const device = { id: `auditor-${crypto.randomUUID()}` };
  const login = await fetch(`${url}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: DEMO.email, password: DEMO.password, device }),
  });
  const { accessToken } = (await login.json()) as { accessToken: string };
  const transport = http({ url: `${url}/sync`, getToken: () => accessToken, live: "off" });
  await using till = createSyncClient({ name: "auditor", storage: memory(), transport, collections, device });
  await till.start();
  await till.firstSync();
  const [sales, payments, products] = await Promise.all([
    till.collections.sales.find(),
    till.collections.payments.find(),
    till.collections.products.find(),
  ]);
  return {
    salesOf: (receipt: string) => sales.filter(({ receiptNumber }) => receiptNumber === receipt),
    paymentsOf: (sale: RecordOf<typeof collections.sales>) => payments.filter(({ saleId }) => saleId === sale.id),
    stockOf: (id: string) => products.find((product) => product.id === id)?.stock,
  };
}

export async function expectOnServerOnce(url: string, receipts: readonly string[]): Promise<void> {
  const arrived = async () => {
    const { salesOf } = await account(url);
    return receipts.filter((receipt) => salesOf(receipt).length > 0);
  };
  await expect.poll(arrived, { timeout: PATIENCE_MS }).toEqual(receipts);
  const { salesOf, paymentsOf } = await account(url);
  for (const receipt of receipts) {
    const sales = salesOf(receipt);
    expect(sales, receipt).toEqual([expect.objectContaining({ orderNumber: expect.stringMatching(/^ORD-/) })]);
    expect(sales.flatMap(paymentsOf), receipt).toHaveLength(1);
  }
  expect(new Set(receipts).size).toBe(receipts.length);
}
