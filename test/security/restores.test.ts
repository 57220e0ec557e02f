/** What a till invents after a restore of the server, at the reference server: a history that there never was [C8.5]. */
import { randomUUID } from "node:crypto";
import { announceRestore } from "tillsync/server";
import { expect, test } from "vitest";
import {
  addUser,
  json,
  loginTill,
  RawTill,
  register,
  rowsOf,
  saleOf,
  start,
} from "../examples/reference-server/support.ts";

async function openShop() {
  const server = await start();
  const owner = await register(server);
  const tenant = owner.tenant.id;
  const cashier = async (branch: string) =>
    loginTill(server, await addUser(server, owner, { roles: ["cashier"], branch }), { branch });
  const [north, south] = [await cashier("north"), await cashier("south")];
  const epochOf = async () =>
    (await json(new RawTill(server, north).post("/sync/register", { schemaVersion: 1 }))).epoch as string;
  return { server, tenant, north, south, epochOf };
}
const sold = (branch: string, more: object = {}) => ({
  collection: "sales",
  action: "create",
  entityId: randomUUID(),
  branch,
  data: saleOf(1, { branchId: branch, ...more }),
});

test("an epoch of before the restore lets no sale in: not one of another branch, nor with a wrong total, nor under a number of one's choice", async () => {
  const { server, tenant, north, south, epochOf } = await openShop();
  const old = await epochOf();
  const [first] = await new RawTill(server, north).push(sold("north"));
  expect(first).toMatchObject({ status: "applied", receipt: expect.any(String) });
  await announceRestore(server.store, tenant);

  // What the next sale gets.
  const number = "ORD-2-000002";
  const acknowledged = { epoch: old, version: 1, assigned: { orderNumber: number } };
  const forged = { ...sold("north", { branchId: "south", totalCents: -99_900 }), acknowledged };
  const results = await new RawTill(server, north).push(
    forged,
    // With a receipt that is honest, of another sale.
    { ...forged, entityId: randomUUID(), acknowledged: { ...acknowledged, receipt: first.receipt } },
    { ...forged, entityId: randomUUID(), acknowledged: { ...acknowledged, receipt: "0".repeat(32) } },
  );
  expect(results.map(({ status }) => status)).toEqual(["quarantined", "quarantined", "quarantined"]);
  expect(JSON.stringify(results)).not.toContain(number);

  const [honest] = await new RawTill(server, south).push(sold("south"));
  expect(honest).toMatchObject({ status: "applied", assigned: { orderNumber: number } });
  const books = (await rowsOf(server, tenant, "sales")).map(({ branchId, totalCents, orderNumber }) => {
    return [branchId, totalCents, orderNumber];
  });
  expect(books.sort()).toEqual([
    ["north", 500, "ORD-000001"],
    ["south", 500, number],
  ]);
});
