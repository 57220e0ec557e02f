import { describe, expect, test } from "vitest";
import * as z from "zod";
import { LIMITS } from "../../../src/protocol/constants.ts";
import { defineCollection } from "../../../src/schema/define-collection.ts";
import { type CursorClaim, decidePull } from "../../../src/server/decide/pull.ts";
import { collections } from "../support/shop.ts";
import { count, edit, product, ServerWorld, type Sketch, sale, type Till } from "../support/world.ts";

async function stocked(rows: number, size = 10) {
  const world = await ServerWorld.open();
  const office = world.till("office");
  for (let from = 0; from < rows; from += 200) {
    const batch = Array.from(
      { length: Math.min(200, rows - from) },
      (_, n): Sketch => product(`p-${from + n}`, { name: "x".repeat(size) }),
    );
    await office.push(...batch);
  }
  return { world, office, till: world.till("till") };
}

describe("pages (L4)", () => {
  test("every row comes once, in the order of its last change, and the cursor ends at the clock", async () => {
    const { world, till } = await stocked(25);
    const seen: string[] = [];
    const remaining: (number | undefined)[] = [];
    for (;;) {
      const page = (await till.pulled(["products"], 10)).pages.get("products")!;
      seen.push(...page.changes.map(({ id }) => id));
      remaining.push(page.cursor.remaining);
      if (!page.more) break;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `p-${n}`));
    expect(remaining).toEqual([15, 5, undefined]);
    expect((await till.pulled()).pages.get("products")).toMatchObject({
      changes: [],
      more: false,
      cursor: { position: (await world.clock())?.position },
    });
  });
  test("how many rows follow is told in a first sync only", async () => {
    const { office, till } = await stocked(12);
    await till.pulled();
    await office.push(...Array.from({ length: 12 }, (_, n) => count(`p-${n}`, 1)));
    const page = (await till.pulled(["products"], 10)).pages.get("products");
    expect(page).toMatchObject({ more: true });
    expect(page?.cursor.remaining).toBeUndefined();
  });
  test("what changes in between comes again, and never goes missing", async () => {
    const { world, office, till } = await stocked(12);
    const first = (await till.pulled(["products"], 10)).pages.get("products")!;
    await office.push(edit("p-0", await world.version("products", "p-0"), { priceCents: 7 }), count("p-11", 1));
    const second = (await till.pulled(["products"], 10)).pages.get("products")!;
    expect(first.changes).toHaveLength(10);
    expect(second.changes.map(({ id }) => id)).toEqual(["p-10", "p-0", "p-11"]);
  });
  test("collections share the limit, referenced ones first; what is not reached keeps its cursor", async () => {
    const { till } = await stocked(8);
    await till.push(sale("s-1"), sale("s-2"), sale("s-3"));
    const { pages } = await till.pulled(["sales", "products"], 8);
    expect([...pages.keys()]).toEqual(["products", "sales"]);
    expect(pages.get("products")).toMatchObject({ more: false });
    expect(pages.get("sales")).toMatchObject({ changes: [], more: true, cursor: { position: 0, remaining: 3 } });
    expect((await till.pulled(["sales", "products"], 8)).pages.get("sales")?.changes).toHaveLength(3);
  });
  test("a collection that the page does not reach may have more, though nobody has looked", async () => {
    const { till } = await stocked(3);
    const { pages } = await till.pulled(["products", "customers"], 3);
    expect(pages.get("products")?.changes).toHaveLength(3);
    expect(pages.get("customers")).toMatchObject({ changes: [], more: true, cursor: { position: 0 } });
  });
  test("nor has anybody looked behind a collection that the bytes have cut", async () => {
    const { till } = await stocked(3);
    till.limitBytes = 100;
    const { pages } = await till.pulled(["products", "customers"]);
    expect(pages.get("products")).toMatchObject({ changes: { length: 1 }, more: true });
    expect(pages.get("customers")).toMatchObject({ changes: [], more: true, cursor: { position: 0 } });
  });
  test("bytes bound a page, and one change always comes [M1]", async () => {
    const big = LIMITS.operationBytes - 1_000;
    const { till } = await stocked(12, big);
    const { pages } = await till.pulled();
    expect(pages.get("products")?.changes).toHaveLength(Math.floor(LIMITS.pullBytes / big));
    expect(pages.get("products")?.more).toBe(true);
  });
  test("where they cut one collection, nothing of a later one overtakes it", async () => {
    const { till } = await stocked(12, LIMITS.operationBytes - 1_000);
    await till.send(sale("s-1"));
    const { pages } = await till.pulled(["products", "sales"]);
    expect(pages.get("products")?.more).toBe(true);
    expect(pages.get("sales")).toMatchObject({ changes: [], more: true });
  });
  test("deleted rows come as such", async () => {
    const { world, office, till } = await stocked(2);
    await till.pulled();
    await office.send({
      action: "delete",
      collection: "products",
      entityId: "p-1",
      baseVersion: await world.version("products", "p-1"),
    });
    expect((await till.pulled()).pages.get("products")?.changes).toMatchObject([{ id: "p-1", deleted: true }]);
  });
});

describe("cursors that are not to be used", () => {
  test.each([
    ["forged", () => "forged" as const],
    ["of another collection", (cursor: object) => ({ ...cursor, collection: "sales" })],
    ["of another epoch", (cursor: object) => ({ ...cursor, epoch: "e0" })],
    ["of another schema", (cursor: object) => ({ ...cursor, schemaVersion: 7 })],
    ["of another view", (cursor: object) => ({ ...cursor, view: "branch south" })],
  ])("%s: that collection starts again", async (_what, change) => {
    const { till } = await stocked(2);
    await till.pulled(["products", "customers"]);
    till.cursors.set("products", change(till.cursors.get("products") as object) as never);
    expect(await till.pull(["products", "customers"])).toEqual({
      kind: "stale",
      epoch: "e1",
      collections: ["products"],
    });
  });
  test("one that is ahead of the clock is of a lost history", async () => {
    const { till } = await stocked(2);
    await till.pulled();
    const cursor = till.cursors.get("products") as { position: number };
    till.cursors.set("products", { ...cursor, position: cursor.position + 1 } as never);
    expect(await till.pull()).toEqual({ kind: "restored", observed: expect.any(String) });
  });
});

describe("own results in every answer [C6]", () => {
  test("a pull heals a lost push answer, from the same snapshot as the rows", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.push(product("p-1"));
    await till.pulled();
    const { marks } = till;
    const sent = await till.push(count("p-1", -2));
    till.marks = marks; // the answer was lost
    const pulled = await till.pulled();
    expect(pulled.results).toMatchObject([{ id: sent[0]?.id, status: "applied", replayed: true }]);
    expect(pulled.pages.get("products")?.changes).toMatchObject([{ data: { stock: -2 } }]);
    // Since the older of the two marks: until the next push is answered they come along.
    expect((await till.pulled()).results).toHaveLength(1);
    await till.push();
    expect((await till.pulled()).results).toEqual([]);
  });
  test("a push answers what was sent in any case, and the rest since the marks, without repetitions", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.push(product("p-1"));
    await till.pulled();
    const { marks } = till;
    const [first] = await till.push(count("p-1", -1));
    till.marks = marks;
    const outcome = await till.outcome([count("p-1", -1)]);
    expect(
      outcome.kind === "answered" && outcome.results.map(({ id, replayed }) => [id === first?.id, replayed]),
    ).toEqual([
      [false, undefined],
      [true, true],
    ]);
  });
  test("without marks everything of the device comes, also from before the epoch: its journal may be under way again", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.push(product("p-1"));
    await world.mint("restored");
    till.incarnation = "inc-2";
    till.marks = { push: undefined, pull: undefined };
    expect((await till.pulled()).results).toHaveLength(1);
    await till.push();
    expect((await till.pulled()).results).toEqual([]);
  });
  test("more than an answer holds is cut, rows and mark with it, and goes on behind the cut", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.push();
    await till.pulled(["sales"]);
    const { marks } = till;
    for (let n = 0; n < 6; n++) await till.push(...Array.from({ length: 200 }, (_, m) => sale(`s-${n}-${m}`)));
    till.marks = marks;
    const first = await till.pulled(["sales"]);
    expect(first.results).toHaveLength(LIMITS.resultsPerAnswer);
    expect(first.mark.upTo).toBeLessThan(first.mark.position);
    expect(first.pages.get("sales")?.changes.length).toBe(LIMITS.pullChanges);
    expect(first.pages.get("sales")?.cursor.position).toBeLessThanOrEqual(first.mark.upTo);
    // The push mark stays where it was, as this till pushes nothing more: the answers must not begin there for ever.
    const second = await till.pulled(["sales"]);
    expect(second.results).toHaveLength(200);
    expect(new Set([...first.results, ...second.results].map(({ id }) => id)).size).toBe(1_200);
    expect((await till.pulled(["sales"])).pages.get("sales")?.more).toBe(false);
  });
});

describe("a till that asks for few bytes", () => {
  const asking = async (till: ReturnType<ServerWorld["till"]>, limitBytes: number) => {
    till.limitBytes = limitBytes;
    return till.pulled();
  };

  test("gets pages of that size, of at least one change, and every row once", async () => {
    const { till } = await stocked(25, 200);
    const seen: string[] = [];
    for (let more = true; more; ) {
      const page = (await asking(till, seen.length === 0 ? 1 : 1_000)).pages.get("products")!;
      expect(page.changes.length).toBe(seen.length === 0 ? 1 : Math.min(3, 25 - seen.length));
      seen.push(...page.changes.map(({ id }) => id));
      more = page.more;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `p-${n}`));
  });
  test("gets its results in the same way, and the rows up to the last of them", async () => {
    const { world, till } = await stocked(3);
    await till.push(...Array.from({ length: 12 }, (_, n) => sale(`s-${n}`)));
    till.marks = { push: undefined, pull: undefined };
    const ids = new Set<string>();
    let answers = 0;
    for (let more = true; more; answers += 1) {
      const { results, pages } = await asking(till, 300);
      expect(results.length).toBeGreaterThan(0);
      for (const { id } of results) ids.add(id);
      more = pages.get("products")!.more;
    }
    expect(ids.size).toBe(12);
    expect(answers).toBeGreaterThan(3);
    expect(till.marks.pull?.position).toBe((await world.clock())?.position);
  });
  test("gets no more than the protocol allows, however many it asks for", async () => {
    const big = LIMITS.operationBytes - 1_000;
    const { till } = await stocked(12, big);
    const { pages } = await asking(till, 100 * LIMITS.pullBytes);
    expect(pages.get("products")?.changes).toHaveLength(Math.floor(LIMITS.pullBytes / big));
  });
  test("gets one change of the first collection that has any, however large: the next pull goes on behind it [M1]", async () => {
    const world = await ServerWorld.open();
    await world.till("office").push(sale("s-1"), sale("s-2"));
    const till = world.till("till");
    till.limitBytes = 1;
    const { pages } = await till.pulled(["products", "sales"]);
    expect(pages.get("products")).toMatchObject({ changes: [], more: false });
    expect(pages.get("sales")).toMatchObject({ changes: [{ id: "s-1" }], more: true });
    expect((await till.pulled(["products", "sales"])).pages.get("sales")?.changes).toMatchObject([{ id: "s-2" }]);
  });
  test("gets none of a later collection that does not fit beside the first", async () => {
    const { world, till } = await stocked(1);
    await world.till("office").send(sale("s-1"));
    till.limitBytes = 120;
    const { pages } = await till.pulled(["products", "sales"]);
    expect(pages.get("products")).toMatchObject({ changes: [{ id: "p-0" }], more: false });
    expect(pages.get("sales")).toMatchObject({ changes: [], more: true });
  });
  test("gets as many results as fit together with their receipts, which the service adds", async () => {
    const { till } = await stocked(0);
    await till.push(...Array.from({ length: 8 }, (_, n) => sale(`s-${n}`)));
    till.marks = { push: undefined, pull: undefined };
    const [result] = (await till.pulled([])).results;
    // As it is stored: that it is a replay is not counted.
    const bytes = JSON.stringify({ ...result, replayed: undefined, receipt: "0".repeat(32) }).length;
    till.marks = { push: undefined, pull: undefined };
    till.limitBytes = 3 * bytes;
    const { results, hashes } = await till.pulled([]);
    expect(results).toHaveLength(3);
    expect([...hashes.keys()]).toEqual(results.map(({ id }) => id));
    for (const { id } of results) expect(hashes.get(id)).toBe((await till.world.operation(id))?.hash);
  });
  test("gets the changes that fill the bytes exactly, and not one more", async () => {
    const { till } = await stocked(3);
    const page = async (limitBytes?: number) => {
      till.cursors.clear();
      till.limitBytes = limitBytes;
      const outcome = await till.pull();
      return outcome.kind === "answered" ? (outcome.pages.get("products")?.changes ?? []) : [];
    };
    const sizes = (await page()).map((text) => text.length);
    const bytes = (rows: number) => sizes.slice(0, rows).reduce((sum, size) => sum + size, 0);
    const rows: number[] = [];
    for (const limit of [bytes(3), bytes(3) - 1, bytes(2)]) rows.push((await page(limit)).length);
    expect(rows).toEqual([3, 2, 2]);
  });
  test("gets few results beside those of its push", async () => {
    const { till } = await stocked(1);
    await till.push(...Array.from({ length: 12 }, (_, n) => sale(`s-${n}`)));
    till.marks = { push: undefined, pull: undefined };
    till.limitBytes = 300;
    const outcome = await till.outcome([sale("s-99")]);
    expect(outcome).toMatchObject({ kind: "answered", moreResults: true });
    expect(outcome.kind === "answered" && outcome.results.length).toBeLessThan(5);
    till.limitBytes = undefined;
    expect(await till.outcome([sale("s-100")])).toMatchObject({ moreResults: false });
  });
});

describe("an app whose schema is not the server's [H7]", () => {
  const newer = {
    ...collections,
    products: defineCollection({
      schema: z.object({ name: z.string(), stock: z.int().default(0) }),
      counters: ["stock"],
      schemaVersion: 2,
      upcast: { 1: (old) => old },
    }),
  };
  async function pulling(till: Till, versions: Record<string, number>, names: readonly string[], claim?: CursorClaim) {
    const { session, epoch, marks } = till.input([]);
    const cursors = new Map(names.map((name) => [name, claim ?? null]));
    const input = { session, epoch, marks, cursors, limit: 100, schemaVersions: new Map(Object.entries(versions)) };
    const outcome = await till.world.store.read("shop", () => decidePull(input));
    if (outcome.kind !== "answered") throw new Error(`pull answered ${outcome.kind}`);
    return outcome;
  }
  async function updatedShop() {
    const world = await ServerWorld.open({}, newer as never);
    const till = world.till();
    await till.push({ ...product("p-1", { name: "Cola" }), schemaVersion: 2 }, sale("s-1"));
    return { world, till };
  }

  test("an older one waits for its update, and for that collection alone (L6)", async () => {
    const { till } = await updatedShop();
    const { waiting, pages } = await pulling(till, { products: 1, sales: 1 }, ["products", "sales", "coupons"]);
    expect([...waiting]).toEqual([
      ["products", "schema_older"],
      ["coupons", "unknown_collection"],
    ]);
    expect([...pages.keys()]).toEqual(["sales"]);
    expect(pages.get("sales")?.changes).toHaveLength(1);
  });
  test("one that names no version, or a newer one, gets the rows with the version that they have", async () => {
    const { till } = await updatedShop();
    for (const versions of [{}, { products: 3, sales: 3 }]) {
      const { waiting, pages } = await pulling(till, versions, ["products", "sales"]);
      expect(waiting.size).toBe(0);
      expect(pages.get("products")).toMatchObject({ schemaVersion: 2 });
      expect(pages.get("products")?.changes).toHaveLength(1);
    }
    const { pages } = await pulling(till, { products: 3, sales: 3 }, ["sales"]);
    expect(pages.get("sales")).toMatchObject({ schemaVersion: 1 });
  });
  test("a row that can't be raised is sent as it is, and says of which version it is (L6)", async () => {
    const upcast = {
      1: ({ name, ...rest }: Readonly<Record<string, unknown>>) => {
        if (name === "Tea") throw new Error("no step for this");
        return { ...rest, name };
      },
    };
    const before = await ServerWorld.open();
    await before.till().push(product("p-1"), product("p-2", { name: "Tea" }));
    const products = defineCollection({
      schema: z.object({ name: z.string(), priceCents: z.int(), stock: z.int().default(0) }),
      counters: ["stock"],
      schemaVersion: 2,
      upcast: upcast as never,
    });
    const world = await ServerWorld.open({}, { ...collections, products } as never);
    world.store.restore(before.store.snapshot());
    const changes = (await world.till("b").pulled()).pages.get("products")?.changes;
    const version = expect.any(Number);
    expect(changes).toEqual([
      { id: "p-1", version, data: { name: "Cola", priceCents: 250, stock: 0 } },
      { id: "p-2", version, data: { name: "Tea", priceCents: 0, stock: 0 }, schemaVersion: 1 },
    ]);
  });
  test("one of the same version gets them without", async () => {
    const { till } = await updatedShop();
    const { pages } = await pulling(till, { products: 2 }, ["products", "sales"]);
    expect(pages.get("products")).not.toHaveProperty("schemaVersion");
    expect(pages.get("sales")).not.toHaveProperty("schemaVersion");
  });
  test("a cursor of a collection that waits is not looked at: it may be of anything", async () => {
    const { till } = await updatedShop();
    const { waiting } = await pulling(till, { products: 1 }, ["products"], "forged");
    expect([...waiting.keys()]).toEqual(["products"]);
  });
});

describe("a pull of a token with other rights", () => {
  test("with the epoch of a lost history is stale as a whole, and names no collection", async () => {
    const { world, till } = await stocked(1);
    await world.mint("restored");
    till.claim = { kind: "authentic", epoch: "e1", ordinal: 1 };
    expect(await till.pull()).toEqual({ kind: "stale", epoch: "e2" });
  });
  test("that has moved to another branch starts again, but not for what the whole shop sees", async () => {
    const world = await ServerWorld.open();
    const till = world.till("a", { branch: "north" });
    await till.send(product("p-1"));
    await till.pulled(["products", "shifts"]);
    Object.assign(till, { principal: { ...till.principal, branch: "south" } });
    expect(await till.pull(["products", "shifts"])).toMatchObject({ kind: "stale", collections: ["shifts"] });
  });
  test("that may not read gets no rows, no count of them, and a cursor that is used up", async () => {
    const allow = { read: "catalog", create: "everyone", update: "everyone", delete: "everyone" } as const;
    const world = await ServerWorld.open({ products: { scope: "tenant", allow } });
    await world.till("office").push(product("p-1"), product("p-2"));
    const page = (await world.till("a").pulled()).pages.get("products");
    expect(page).toMatchObject({ changes: [], more: false, cursor: { position: (await world.clock())?.position } });
    expect(page?.cursor.remaining).toBeUndefined();
    const till = world.till("a");
    Object.assign(till, { principal: { ...till.principal, scopes: ["catalog"] } });
    expect(await till.pull()).toMatchObject({ kind: "stale", collections: ["products"] });
  });
});
