/** [H6] A device that was revoked gets nothing more, and what it still holds is not lost. */
import { expect, test } from "vitest";
import { RuleShop } from "../support/rule-shop.ts";
import { saleOf, tea } from "../support/shop.ts";

async function revokedTill() {
  const shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  const b = await shop.openTill();
  a.line.up = false;
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.data.products.update("p-1", { priceCents: 1 });
  await shop.revoke(a.device);
  a.line.up = true;
  return { shop, a, b };
}

test("what a revoked till still holds goes into quarantine, and it is told nothing more", async () => {
  const { shop, a, b } = await revokedTill();
  await using _ = shop;
  expect(await a.sync()).toMatchObject({ outcome: "action_needed", cause: "device_revoked" });
  expect(a.operations.map(({ state, error }) => [state, error?.code])).toEqual([
    ["quarantined", "device_revoked"],
    ["quarantined", "device_revoked"],
  ]);
  expect(a.told("device_revoked")).toHaveLength(1);
  expect((await shop.office.quarantined()).map(({ operation }) => operation.entityId).sort()).toEqual(["p-1", "s-1"]);
  expect(shop.row("sales", "s-1")).toBeUndefined();
  expect(shop.shown("products", "p-1").priceCents).toBe(5_000);
  // Nothing new for it, though there is something.
  await b.data.products.update("p-1", { name: "Green tea" });
  await b.sync();
  await a.sync();
  expect((await a.data.products.get("p-1"))?.name).toBe("Tea");
});

test("a till that was revoked while its app was closed gets rid of its sales when it is opened again", async () => {
  const { shop, a } = await revokedTill();
  await using _ = shop;
  const again = await shop.restart(a);
  await again.sync();
  expect(await shop.office.quarantined()).toHaveLength(2);
  expect(again.operationOn("s-1").state).toBe("quarantined");
});

test("a till that is let back in goes on, and its sales are released by the office", async () => {
  const { shop, a, b } = await revokedTill();
  await using _ = shop;
  await a.sync();
  await shop.revoke(a.device, false);
  for (const { id } of a.operations) await shop.office.release(id);
  await shop.converge(a, b);
  expect(shop.row("sales", "s-1")?.state).toBe("live");
  expect(a.client.status.attention.quarantined).toBe(0);
});

test("push is answered, and everything else is refused", async () => {
  await using shop = new RuleShop();
  const peer = shop.peer();
  await peer.register();
  await shop.revoke(peer.device);
  const [result] = await peer.push(
    peer.make({ action: "create", collection: "sales", entityId: "s-1", data: saleOf(1, 0) }),
  );
  expect(result).toMatchObject({ status: "quarantined", error: { code: "device_revoked" } });
  const refused = [await peer.pull({ sales: null }), await peer.register()];
  for (const { status, body } of refused) expect([status, body.code]).toEqual([403, "device_revoked"]);
});

test("a till that was revoked after a restore it never heard of hands over what the server has lost", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  const putBack = shop.backup();
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.sync();
  expect(a.operationOn("s-1").state).toBe("applied");
  await putBack("announced");
  await shop.revoke(a.device);
  await a.sync();
  expect((await shop.office.quarantined()).map(({ operation }) => operation.entityId)).toEqual(["s-1"]);
  expect(a.told("epoch_changed")).toHaveLength(1);
  expect(a.operationOn("s-1").state).toBe("quarantined");
});

test("a pull that is refused begins a new epoch where only the revoked till can show that the server was put back", async () => {
  await using shop = new RuleShop();
  const peer = shop.peer();
  await peer.register();
  const putBack = shop.backup();
  await peer.push(peer.make({ action: "create", collection: "sales", entityId: "s-1", data: saleOf(1, 0) }));
  await putBack("silent");
  await shop.revoke(peer.device);
  const { status, body } = await peer.pull({ sales: null });
  expect([status, body.code]).toEqual([403, "device_revoked"]);
  expect(body.epoch).not.toBe(peer.epoch);
});

test("whose store is another shop's is told that, revoked or not", async () => {
  await using shop = new RuleShop();
  const stranger = shop.peer("stranger", { tenant: "another" });
  await stranger.register();
  const peer = shop.peer();
  await peer.register();
  await shop.revoke(peer.device);
  peer.epoch = stranger.epoch;
  const { status, body } = await peer.pull({ sales: null });
  expect([status, body.code]).toEqual([403, "wrong_workspace"]);
});

test("a store that had not registered yet when its device was revoked hands over its sales", async () => {
  await using shop = new RuleShop();
  const a = shop.till();
  a.line.up = false;
  await a.client.start();
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await shop.revoke(a.device);
  a.line.up = true;
  expect(await a.sync()).toMatchObject({ outcome: "action_needed", cause: "device_revoked" });
  expect((await shop.office.quarantined()).map(({ operation }) => operation.entityId)).toEqual(["s-1"]);
});
