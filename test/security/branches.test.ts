/** What is stored was shown to one token, and is asked for with another: of another branch, or with fewer rights (L9). */
import { describe, expect, test } from "vitest";
import { revokeDevice } from "../../src/server/index.ts";
import { HttpTill, openTill, operation, type ShopServer, shopServer } from "../server/support/http.ts";
import { count, edit, product, sale, uuid, versionIn } from "../server/support/world.ts";

const SECRET = "Ada the cashier";

const shift = (id: string, branch: string, cashier = SECRET) => ({
  action: "create",
  collection: "shifts",
  entityId: id,
  data: { branch, cashier },
});
const shiftEdit = (id: string, patch: object, baseVersion: number) => ({
  action: "update",
  collection: "shifts",
  entityId: id,
  baseVersion,
  patch,
});
const latest = ({ store }: ShopServer, id: string, collection = "shifts") => versionIn(store, "shop", collection, id);
const drawer = (id: string) => ({ action: "increment", collection: "shifts", entityId: id, by: { drawer: 5 } });

describe("a device whose token names another branch now", () => {
  async function movedTill() {
    const server = shopServer();
    const before = await openTill(server, "till-1", "shop/till-1/north");
    const made = [operation(shift("h-1", "north")), operation(drawer("h-1"))];
    await before.pushRaw(made);
    const refused = operation(shiftEdit("h-1", { branch: "south" }, await latest(server, "h-1")));
    await before.pushRaw([refused]);

    const other = await openTill(server, "till-2", "shop/till-2/north");
    other.incarnation = uuid(8);
    await other.push(shiftEdit("h-1", { cashier: `${SECRET} II` }, await latest(server, "h-1")));
    const lost = operation(shiftEdit("h-1", { cashier: `${SECRET} III` }, 0));
    await before.pushRaw([lost]);

    const after = new HttpTill(server, "till-1", "shop/till-1/south");
    after.incarnation = uuid(9);
    await after.register();
    return { server, before, after, made, lost };
  }

  test("hears what became of its work, and nothing of the other branch's rows", async () => {
    const { before, after, made, lost } = await movedTill();
    const { results } = await after.pull("shifts");
    expect(results.map(({ id, status }) => [id, status])).toEqual(
      expect.arrayContaining([
        [made[0]?.id, "applied"],
        [made[1]?.id, "applied"],
        [lost.id, "conflict"],
      ]),
    );
    expect(JSON.stringify(results)).not.toContain(SECRET);
    // Where it belongs it is shown as it was.
    before.marks = {};
    expect(JSON.stringify((await before.pull("shifts")).results)).toContain(SECRET);
  });

  test("is shown nothing of them by sending its operations again", async () => {
    const { before, after, made, lost } = await movedTill();
    const again = await after.pushRaw([...made, lost]);
    const text = await again.text();
    expect(JSON.parse(text).results).toHaveLength(4);
    expect(text).not.toContain(SECRET);
    expect(await (await before.pushRaw([...made, lost])).text()).toContain(SECRET);
  });

  test("has a desk of its own in its own branch alone", async () => {
    const { before, after } = await movedTill();
    await before.push(sale("s-1", { totalCents: SECRET }, { branch: "north" }));
    for (const path of ["conflicts", "quarantine"]) {
      expect(await (await before.call("GET", path)).text(), path).toContain(SECRET);
      expect(await (await after.call("GET", path)).text(), path).not.toContain(SECRET);
    }
  });
});

test("a result of somebody with more rights shows no row to who has signed in at the till after them", async () => {
  const read = { read: "catalog:read", create: "everyone", update: "everyone", delete: "everyone" } as const;
  const server = shopServer({ products: { scope: "tenant", allow: read } });
  const manager = await openTill(server, "till-1", "shop/till-1//catalog:read");
  const made = operation({ ...product("p-1"), data: { name: SECRET } });
  expect(await (await manager.pushRaw([made])).text()).toContain(SECRET);
  const cashier = await openTill(server, "till-1");
  expect((await cashier.pull("products")).results).toMatchObject([{ id: made.id, status: "applied" }]);
  cashier.marks = {};
  expect(JSON.stringify(await cashier.pull("products"))).not.toContain(SECRET);
  expect(await (await cashier.pushRaw([made])).text()).not.toContain(SECRET);
});

describe("a desk of one branch", () => {
  test("that settles a conflict is not shown the row, where that has moved to another branch since", async () => {
    const server = shopServer();
    const [head, other] = [await openTill(server, "head", "shop/head"), await openTill(server, "other", "shop/other")];
    other.incarnation = uuid(9);
    await head.push(shift("h-1", "south", "Bob"), shiftEdit("h-1", { cashier: "Ben" }, 0));
    const [lost] = await other.push(shiftEdit("h-1", { cashier: "Eve" }, 0));
    expect(lost?.status).toBe("conflict");
    await head.push(shiftEdit("h-1", { branch: "north", cashier: SECRET }, await latest(server, "h-1")));

    const south = await openTill(server, "office", "shop/office/south/sync:desk");
    const settled = await south.call("POST", `conflicts/${lost?.id}/resolve`, { choice: "server" });
    expect(settled.status).toBe(200);
    expect(await settled.text()).not.toContain(SECRET);
    // The till whose edit it was sees every branch, and hears of it.
    expect(JSON.stringify((await other.pull("shifts")).results)).toContain(SECRET);
  });

  test("lets nothing of a till of the whole tenant into another branch's rows, and is not shown them", async () => {
    const server = shopServer();
    const head = await openTill(server, "head", "shop/head");
    await head.push(shift("h-1", "north"), product("p-1"));
    await revokeDevice({ store: server.store, tenant: "shop", device: "head" });
    const base = await latest(server, "h-1");
    const [renamed, moved, counted, priced] = await head.push(
      shiftEdit("h-1", { cashier: "Eve" }, base),
      shiftEdit("h-1", { branch: "south" }, base),
      drawer("h-1"),
      edit("p-1", await latest(server, "p-1", "products"), { priceCents: 5 }),
    );
    const south = await openTill(server, "office", "shop/office/south/sync:desk");
    const release = (id: string | undefined) => south.call("POST", `quarantine/${id}/release`);
    for (const one of [renamed, moved]) expect((await release(one?.id)).status).toBe(400);
    const step = await release(counted?.id);
    expect(await step.text()).not.toContain(SECRET);
    expect(step.status).toBe(200);
    expect((await release(priced?.id)).status).toBe(200);
    const office = await openTill(server, "office-2", "shop/office-2");
    expect((await office.pull("shifts")).pages.shifts?.changes).toMatchObject([
      { data: { branch: "north", cashier: SECRET, drawer: 5 } },
    ]);

    // The head office may.
    const boss = await openTill(server, "boss", "shop/boss//sync:desk");
    expect((await boss.call("POST", `quarantine/${renamed?.id}/release`)).status).toBe(200);
    expect((await office.pull("shifts")).pages.shifts?.changes).toMatchObject([{ data: { cashier: "Eve" } }]);
  });
});

test("a revoked device is shown no row: not in new results, not in replays, not in what the desk has released", async () => {
  const server = shopServer();
  const till = await openTill(server, "till-1", "shop/till-1");
  const [made, base] = [operation(product("p-1", { name: SECRET })), operation(count("p-1", 1))];
  const lost = operation(edit("p-1", 0, { name: "" }));
  const before = await till.push(made, base, lost);
  expect(JSON.stringify(before)).toContain(SECRET);
  await revokeDevice({ store: server.store, tenant: "shop", device: "till-1" });
  till.marks = {};
  const late = operation(count("p-1", 1));
  const after = await till.push(made, lost, late);
  expect(after.map(({ id, status }) => [id, status])).toEqual(
    expect.arrayContaining([
      [made.id, "applied"],
      [base.id, "applied"],
      [lost.id, "rejected"],
      [late.id, "quarantined"],
    ]),
  );
  expect(JSON.stringify(after)).not.toContain(SECRET);
  const office = await openTill(server, "office", "shop/office//sync:desk");
  office.incarnation = uuid(9);
  expect((await office.call("POST", `quarantine/${late.id}/release`)).status).toBe(200);
  till.marks = {};
  const released = await till.push();
  expect(released.find(({ id }) => id === late.id)).toMatchObject({ status: "applied", revision: 1 });
  expect(JSON.stringify(released)).not.toContain(SECRET);
});
