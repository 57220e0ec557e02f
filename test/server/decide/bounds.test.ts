/** What a small request may cost the server: bytes of the disk, of memory and of answers (L12). */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/protocol/constants.ts";
import type { FeedPage, StoreReadScript } from "../../../src/server/ports/store.ts";
import { edit, payment, product, ServerWorld, sale } from "../support/world.ts";

const bytesOf = (value: unknown) => JSON.stringify(value).length;
const LARGE = 250_000;
const large = (id: string, size: number) => product(id, { name: "x", note: "x".repeat(size) });

/** Rows of which each is nearly as large as an operation may be, made by one till. */
async function largeRows(count: number, size = LARGE) {
  const world = await ServerWorld.open();
  const till = world.till();
  await till.push(...Array.from({ length: count }, (_, n) => large(`p-${n}`, size)));
  till.marks = { push: undefined, pull: undefined };
  return { world, till };
}

describe("an operation that is too large", () => {
  test("is kept by its start, and nobody can let it in", async () => {
    const world = await ServerWorld.open();
    // The cut falls into the middle of a character.
    for (const [id, shift] of [
      ["s-1", ""],
      ["s-2", "x"],
    ] as const) {
      const sent = await world
        .till()
        .send(sale(id, { totalCents: 1, orderNumber: shift + "😀".repeat(LIMITS.operationBytes) }));
      expect(sent).toMatchObject({ status: "quarantined", error: { code: "too_large" } });
      const kept = (await world.operation(sent.id))?.operation as unknown as { raw: string };
      expect(kept).toMatchObject({ id: sent.id, raw: expect.stringContaining(`"entityId":"${id}"`) });
      expect(kept.raw.length).toBeLessThanOrEqual(LIMITS.operationBytes);
      expect(encodeURIComponent(kept.raw.slice(-10))).toBeTruthy();
      expect(await world.release(sent.id)).toMatchObject({ kind: "refused" });
    }
  });
});

describe("copies of a row in one push", () => {
  const prices = Array.from({ length: 400 }, (_, n) => n);
  test("of a large one, only the last result carries it", async () => {
    const { world, till } = await largeRows(1);
    const base = await world.version("products", "p-0");
    const results = await till.push(...prices.map((priceCents) => edit("p-0", base, { priceCents })));
    expect(results.every(({ status }) => status === "applied")).toBe(true);
    expect(results.at(-1)).toMatchObject({ data: { priceCents: 399, note: expect.any(String) } });
    expect(bytesOf(results)).toBeLessThan(LIMITS.pullBytes + 2 * LARGE);
  });
  test("of rows as they usually are, every result carries it", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.send(product("p-0"));
    const base = await world.version("products", "p-0");
    const results = await till.push(...prices.map((priceCents) => edit("p-0", base, { priceCents })));
    expect(results.slice(1).map((result) => "data" in result && result.data?.priceCents)).toEqual(prices.slice(1));
  });
});

describe("own results", () => {
  test("come by bytes too, each once, and the rows are cut where they are", async () => {
    const { till } = await largeRows(20);
    const seen: string[] = [];
    for (let answers = 0; seen.length < 20; answers++) {
      expect(answers).toBeLessThan(10);
      const { results, pages, mark } = await till.pulled();
      expect(bytesOf(results)).toBeLessThan(LIMITS.pullBytes + LARGE);
      expect(results.length).toBeGreaterThan(0);
      seen.push(...results.map(({ id }) => id));
      for (const { version } of pages.get("products")?.changes ?? []) expect(version).toBeLessThanOrEqual(mark.upTo);
      till.marks = { push: mark, pull: mark };
    }
    expect(new Set(seen).size).toBe(20);
    expect((await till.pulled()).results).toEqual([]);
  });
  test("are read without what was sent", async () => {
    const { world } = await largeRows(1);
    const [row] = await world.read({ kind: "results", device: "till-1", after: 0, limit: 10 });
    expect(row).not.toHaveProperty("operation");
  });
});

describe("a page of rows", () => {
  /** What the store hands over for the first page of a reader that has seen its results: rows, and the bytes of their documents. */
  async function firstPage(world: ServerWorld) {
    const reader = world.till("reader");
    const clock = await world.clock();
    const seen = { upTo: clock?.position ?? 0, position: clock?.position ?? 0, id: clock?.lastId ?? "" };
    reader.marks = { push: seen, pull: seen };
    const handed: { rows: number; bytes: number }[] = [];
    const original = world.store.read.bind(world.store);
    world.store.read = <T>(tenant: string, script: () => StoreReadScript<T>) =>
      original(tenant, function* counted() {
        const steps = script();
        for (let step = steps.next(); ; ) {
          if (step.done === true) return step.value;
          const answers: readonly unknown[] = yield step.value;
          step.value.forEach(({ kind }, index) => {
            if (kind !== "changes") return;
            const { entries } = answers[index] as FeedPage;
            handed.push({ rows: entries.length, bytes: bytesOf(entries) });
          });
          step = steps.next(answers);
        }
      });
    return { page: (await reader.pulled()).pages.get("products"), handed };
  }
  test("is one read, of about as much as it holds, however many rows follow", async () => {
    const { world } = await largeRows(300, 20_000);
    const { page, handed } = await firstPage(world);
    expect(page?.more).toBe(true);
    expect(page?.changes.length).toBe(104);
    expect(handed).toEqual([{ rows: 105, bytes: expect.any(Number) }]);
  });
  test("of the largest rows: the store never hands over more than a page and one of them", async () => {
    const { world } = await largeRows(40);
    const { page, handed } = await firstPage(world);
    expect(page?.changes.length).toBe(8);
    expect(handed.length).toBe(1);
    expect(handed[0]?.bytes).toBeLessThan(LIMITS.pullBytes + 2 * LARGE);
    expect(handed[0]?.rows).toBe(9);
  });
  test("of rows that were large: goes on reading behind what was deleted, a page's bytes at a time", async () => {
    const { world, till } = await largeRows(20);
    const gone = Array.from({ length: 20 }, (_, n) => ({
      action: "delete",
      collection: "products",
      entityId: `p-${n}`,
      baseVersion: 2 ** 52,
    }));
    await till.push(...gone, product("p-20"));
    const { page, handed } = await firstPage(world);
    expect(page).toMatchObject({ more: false, cursor: { position: (await world.clock())?.position } });
    expect(page?.changes.map(({ id }) => id)).toEqual([...gone.map(({ entityId }) => entityId), "p-20"]);
    expect(handed.length).toBe(3);
    for (const { bytes } of handed) expect(bytes).toBeLessThan(LIMITS.pullBytes + 2 * LARGE);
  });
});

test("a chain of corrections of which each names only the one before stops no release", async () => {
  const keptBack = () => ({ outcome: "quarantined", code: "arithmetic", message: "no" }) as const;
  const world = await ServerWorld.open({
    sales: { scope: "tenant", allow: { read: "everyone", create: "everyone" }, decide: keptBack },
  });
  const till = world.till();
  const first = till.mint({ ...sale("s-1", { totalCents: 1 }), transaction: "t-1" });
  const paid = till.mint({ ...payment("y-1", "s-1"), transaction: "t-1" });
  await till.push(first, paid);
  let last = first.id;
  for (let links = 0; links < 150; links++) {
    const correction = till.mint({ ...sale("s-1", { totalCents: 1 }), supersedes: [last] });
    await till.push(correction);
    last = correction.id;
  }
  expect(await world.release(paid.id)).toMatchObject({ kind: "revised" });
});
