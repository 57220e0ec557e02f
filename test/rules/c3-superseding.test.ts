/** [C3] A resolution replaces the edit it resolves, on both desks, once, and what came after that edit goes on. */
import { expect, test } from "vitest";
import { ann, inConflict } from "../support/in-conflict.ts";
import { lostAnswer, lostRequest } from "../support/rule-line.ts";
import { RuleShop } from "../support/rule-shop.ts";
import type { RuleTill } from "../support/rule-till.ts";
import { saleOf } from "../support/shop.ts";

async function resolve(till: RuleTill, choice: "client" | "server" | { merged: { phone: string } }) {
  const [conflict] = await till.client.conflicts.list();
  await till.client.conflicts.resolve(conflict as never, choice);
}

test("what was edited after a conflict is applied once the conflict is settled", async () => {
  const { shop, a, b } = await inConflict();
  await using _ = shop;
  await a.data.customers.update("c-1", { name: "Anna" });
  await a.sync();
  expect(shop.shown("customers", "c-1").name).toBe("Ann");
  await resolve(a, "client");
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1")).toMatchObject({ phone: "3", name: "Anna" });
});

test("a resolution takes the old edit's place: what the user typed later stays on top of it", async () => {
  const { shop, a, b } = await inConflict();
  await using _ = shop;
  await a.data.customers.update("c-1", { phone: "4" });
  const shown = a.watch("customers", "c-1", "phone");
  await resolve(a, "client");
  expect((await a.data.customers.get("c-1"))?.phone).toBe("4");
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1").phone).toBe("4");
  expect(new Set(shown)).toEqual(new Set(["4"]));
});

test.each(["client", "server"] as const)(
  "a conflict settled at the till for the %s is closed at the back office too",
  async (choice) => {
    const { shop, a, b } = await inConflict();
    await using _ = shop;
    expect(await shop.office.conflicts()).toHaveLength(1);
    await resolve(a, choice);
    await shop.converge(a, b);
    expect(await shop.office.conflicts()).toHaveLength(0);
    expect(await shop.office.conflicts("settled")).toMatchObject([{ settled: { choice } }]);
    expect(shop.shown("customers", "c-1").phone).toBe(choice === "client" ? "3" : "2");
  },
);

test("a conflict is settled once: the till that comes second hears who came first", async () => {
  const { shop, a, b } = await inConflict();
  await using _ = shop;
  a.line.up = false;
  await resolve(a, "client");
  await shop.office.resolve(a.operationOn("c-1").id, "merged", { phone: "9" });
  a.line.up = true;
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1").phone).toBe("9");
  expect((await a.data.customers.get("c-1"))?.phone).toBe("9");
  const second = a.operations.at(-1);
  expect(second).toMatchObject({ state: "closed_elsewhere", error: { code: "already_superseded" } });
});

test("the office cannot settle what the till has settled", async () => {
  const { shop, a, b } = await inConflict();
  await using _ = shop;
  await resolve(a, "client");
  await a.sync();
  await expect(shop.office.resolve(a.operationOn("c-1").id, "server")).rejects.toThrow("conflict_settled");
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1").phone).toBe("3");
});

test("an edit that was called off never takes effect, though its first request arrives after the void", async () => {
  await using shop = new RuleShop();
  await shop.seed("customers", ann);
  const a = await shop.openTill();
  // The request is on its way for very long: the till gives up waiting, the network does not.
  let late: (() => Promise<Response>) | undefined;
  a.line.next("push", (deliver) => {
    late = deliver;
    return Promise.reject(new TypeError("timeout"));
  });
  await a.data.customers.update("c-1", { phone: "3" });
  expect((await a.sync()).outcome).toBe("offline");
  const edit = a.operationOn("c-1");
  await a.client.operations.discard({ id: edit.id, kind: "record" }, { reason: "a slip" });
  await a.sync();
  expect((await late?.())?.status).toBe(200);
  expect(shop.operation(edit.id)).toMatchObject({ status: "rejected", result: { error: { code: "superseded" } } });
  await shop.converge(a);
  expect(shop.shown("customers", "c-1").phone).toBe("1");
});

test("what was called off too late stands: the void says that it was applied", async () => {
  await using shop = new RuleShop();
  await shop.seed("customers", ann);
  const a = await shop.openTill();
  a.line.next("push", lostAnswer);
  await a.data.customers.update("c-1", { phone: "3" });
  // Neither the pull of this round tells the till what became of it.
  a.line.next("pull", lostRequest);
  await a.sync();
  const edit = a.operationOn("c-1");
  expect(edit.state).toBe("pending");
  await a.client.operations.discard({ id: edit.id, kind: "record" }, { reason: "a slip" });
  await shop.converge(a);
  expect(shop.shown("customers", "c-1").phone).toBe("3");
  expect(a.operations.find(({ id }) => id === edit.id)?.state).toBe("applied");
});

test("a resolution that was itself given up before it was sent closes the back office's desk all the same", async () => {
  const { shop, a, b } = await inConflict();
  await using _ = shop;
  a.line.up = false;
  await resolve(a, "client");
  const resolution = a.operations.at(-1);
  await a.client.operations.discard({ id: resolution?.id ?? "", kind: "record" }, { reason: "no, theirs" });
  a.line.up = true;
  await shop.converge(a, b);
  expect(await shop.office.conflicts()).toHaveLength(0);
  expect(shop.shown("customers", "c-1").phone).toBe("2");
});

test("an edit is superseded once, also by two tills that are copies of each other", async () => {
  const { shop, a } = await inConflict();
  await using _ = shop;
  const twin = shop.till({ disk: a.copyOfDisk(), device: a.device });
  await resolve(a, { merged: { phone: "7" } });
  await resolve(twin, { merged: { phone: "8" } });
  await a.sync();
  await twin.sync();
  await shop.converge(a, twin);
  expect(shop.shown("customers", "c-1").phone).toBe("7");
  const old = a.operationOn("c-1").id;
  const superseding = shop.operations.filter(({ operation }) => operation?.supersedes?.includes(old));
  expect(superseding.map(({ status }) => status).sort()).toEqual(["applied", "rejected"]);
});

test("what waits for an edit that the office has settled goes in the same push", async () => {
  await using shop = new RuleShop();
  await shop.seed("customers", ann);
  const a = await shop.openTill();
  const b = await shop.openTill();
  await b.data.customers.update("c-1", { phone: "2" });
  await b.sync();
  // The till does not learn that its edit is in conflict; the office does, and settles it.
  a.line.next("push", lostAnswer);
  a.line.next("pull", lostRequest);
  await a.data.customers.update("c-1", { phone: "3" });
  await a.sync();
  await shop.office.resolve(a.operationOn("c-1").id, "client");
  await a.data.customers.update("c-1", { name: "Anna" });
  await a.sync();
  const second = a.line.of("push")[1]?.answer.results;
  expect(second.map(({ status }: { status: string }) => status)).toEqual(["rejected", "applied"]);
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1")).toMatchObject({ phone: "3", name: "Anna" });
});

test("a void that is refused or set aside takes no sale away: it stays applied, on the server and on its till", async () => {
  await using shop = new RuleShop();
  const a = await shop.openTill();
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await shop.converge(a);
  const sold = a.operationOn("s-1").id;
  const peer = shop.peer("stolen");
  await peer.register();
  const sneak = { action: "void", collection: "sales", entityId: "s-1", supersedes: [sold] };
  const [elsewhere] = await peer.push(peer.make({ ...sneak, branch: "b-9" }));
  // Another till's sale: without the right to the desk it is not even set aside for people to release.
  expect(elsewhere).toMatchObject({ status: "rejected", error: { code: "not_permitted" } });
  await shop.revoke(peer.device);
  const [revoked] = await peer.push(peer.make(sneak));
  expect(revoked).toMatchObject({ status: "quarantined", error: { code: "device_revoked" } });
  await shop.converge(a);
  expect(shop.operation(sold)).toMatchObject({ status: "applied", revision: 0 });
  expect(a.operationOn("s-1").state).toBe("applied");
});
