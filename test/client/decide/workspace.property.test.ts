/**
 * How the decisions of both halves work together: tills write, a server answers, in any order, and answers are lost or
 * late, or the server is restored in between. No I/O: only decisions.
 */
import fc from "fast-check";
import { manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import { expect, test } from "vitest";
import * as z from "zod";
import type { LocalChange } from "../../../src/client/decide/local-write.ts";
import { toWire } from "../../../src/client/decide/wire.ts";
import { isIn, isOpen, type StoredOperation, subjectOf } from "../../../src/client/state/operation.ts";
import { LIMITS } from "../../../src/protocol/constants.ts";
import { payloadOf } from "../../../src/protocol/payload.ts";
import { addCounter } from "../../../src/schema/counters.ts";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { canonicalJson, type JsonObject } from "../../../src/shared/json.ts";
import { collections, type Shop } from "../../server/support/shop.ts";
import { ServerWorld } from "../../server/support/world.ts";
import { times } from "../../support/property.ts";
import { DecisionLine, type Fate } from "../support/decision-line.ts";
import { create, type DecisionTill, increment, remove, update } from "../support/decision-till.ts";

const { products, customers, sales, payments } = collections;
const shop = {
  products,
  // It has a counter of each kind, and its conflicts are left to people.
  customers: defineCollection({
    schema: z.object({
      name: z.string(),
      phone: z.string().nullable().default(null),
      points: z.int().default(0),
      litres: z.string().default("0"),
    }),
    counters: ["points", "litres"],
    conflict: manual(),
  }),
  sales,
  payments,
};
const served = { ...collections, customers: shop.customers as unknown as typeof customers } satisfies Shop;

// ── What a till does ──
const productId = fc.constantFrom("p-1", "p-2");
const customerId = fc.constantFrom("c-1", "c-2");
const name = fc.constantFrom("A", "B", "C");
const litres = fc.constantFrom("0.5", "-0.50", "1", "-1.250", "10.05");
const points = fc.integer({ min: -3, max: 3 });
const change: fc.Arbitrary<LocalChange> = fc.oneof(
  fc
    .tuple(productId, name, fc.nat(5))
    .map(([id, of, stock]) => create("products", id, { name: of, priceCents: 1, stock })),
  fc.tuple(productId, name).map(([id, to]) => update("products", id, { name: to })),
  fc.tuple(productId, fc.constantFrom("hot", undefined)).map(([id, note]) => update("products", id, { note })),
  fc.tuple(productId, points).map(([id, stock]) => increment("products", id, { stock })),
  productId.map((id) => remove("products", id)),
  fc
    .tuple(customerId, litres)
    .map(([id, start]) => create("customers", id, { name: "Ann", phone: null, points: 0, litres: start })),
  fc.tuple(customerId, fc.constantFrom("1", "2", null)).map(([id, phone]) => update("customers", id, { phone })),
  fc.tuple(customerId, litres, points).map(([id, by, of]) => increment("customers", id, { litres: by, points: of })),
  fc
    .tuple(fc.nat(1_000_000), productId, customerId)
    .map(([id, sold, to]) => create("sales", `s-${id}`, { totalCents: 1, productId: sold, customerId: to })),
);

type Step =
  | { readonly kind: "write"; readonly till: number; readonly changes: readonly LocalChange[] }
  | { readonly kind: "push" | "pull"; readonly till: number; readonly most: number; readonly fate: Fate }
  | { readonly kind: "deliver"; readonly till: number; readonly which: number }
  | { readonly kind: "settle"; readonly till: number; readonly which: number; readonly keep: "client" | "server" }
  | { readonly kind: "resync" | "wake"; readonly till: number }
  | { readonly kind: "backup" | "restore" };
const fate = fc.constantFrom<Fate>("answered", "answered", "answered", "request_lost", "answer_lost", "late", "late");
function steps(tills: number, restores: boolean, change: fc.Arbitrary<LocalChange>): fc.Arbitrary<readonly Step[]> {
  const till = fc.nat(tills - 1);
  const kind = <K extends string>(...kinds: readonly K[]) => fc.constantFrom(...kinds);
  const most = fc.integer({ min: 1, max: 6 });
  const all: fc.WeightedArbitrary<Step>[] = [
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("write" as const),
        till,
        changes: fc.array(change, { minLength: 1, maxLength: 3 }),
      }),
    },
    { weight: 9, arbitrary: fc.record({ kind: kind("push", "pull"), till, most, fate }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("deliver" as const), till, which: fc.nat(3) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("settle" as const),
        till,
        which: fc.nat(3),
        keep: kind("client", "server"),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: kind("resync", "wake"), till }) },
  ];
  if (restores) all.push({ weight: 2, arbitrary: fc.record({ kind: kind("backup", "restore") }) });
  return fc.array(fc.oneof(...all), { minLength: 4, maxLength: 40 });
}

class Shops {
  readonly world: ServerWorld;
  readonly lines: readonly DecisionLine[];
  #backup;

  private constructor(world: ServerWorld, tills: number) {
    this.world = world;
    this.lines = Array.from({ length: tills }, (_, n) => new DecisionLine(world, n + 1, shop));
    this.#backup = world.store.snapshot();
  }

  static async open(tills: number): Promise<Shops> {
    return new Shops(await ServerWorld.open({}, served), tills);
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case "backup":
        this.#backup = this.world.store.snapshot();
        return;
      case "restore":
        this.world.store.restore(this.#backup);
        this.world.epoch = (await this.world.clock())?.epoch ?? "";
        return;
      default:
        return this.#at(this.lines[step.till] as DecisionLine, step);
    }
  }

  async #at(line: DecisionLine, step: Exclude<Step, { readonly kind: "backup" | "restore" }>): Promise<void> {
    switch (step.kind) {
      case "write":
        try {
          line.write(step.changes);
        } catch (error) {
          // Its author got an error, and nothing of it is left.
          if (!isTillSyncError(error) || error.code === "internal") throw error;
        }
        return;
      case "push":
        return void (await line.push(step.most, step.fate));
      case "pull":
        return void (await line.pull(step.most, step.fate));
      case "deliver":
        return line.deliver(step.which);
      case "settle":
        return void line.settle(step.which, step.keep);
      case "resync":
        return line.resync("products", "customers", "sales");
      case "wake":
        return line.wake();
    }
  }

  async converge(each: () => void): Promise<void> {
    // Three times: the first till receives what the last one sent, and the last one what the first made of it.
    for (const line of [...this.lines, ...this.lines, ...this.lines]) await line.converge(each);
  }

  /** The rows as a new till sees them. */
  async shown(): Promise<Record<string, unknown>> {
    const fresh = new DecisionLine(this.world, 9, shop);
    await fresh.converge();
    return views(fresh.till);
  }
}

function views(till: DecisionTill): Record<string, JsonObject | undefined> {
  return Object.fromEntries(
    [...till.rows].filter(([, row]) => row.data !== undefined).map(([at, row]) => [at, row.data]),
  );
}

function expectExact(till: DecisionTill): void {
  expect(till.counted()).toEqual(till.recounted());
  for (const subject of till.rows.keys()) {
    const [collection = "", id = ""] = subject.split("/");
    const [kept, anew] = [till.countedRow(collection, id), till.recountedRow(collection, id)];
    expect({ subject, ...amounts(kept) }).toEqual({ subject, ...amounts(anew) });
  }
}

const textOf = (operation: StoredOperation) => canonicalJson(payloadOf(toWire({ operation, after: [] })));

/** An operation that was once in the outbox stays there and does not change. */
class Memory {
  readonly #texts = new Map<string, string>();

  expectKept(till: DecisionTill): void {
    for (const [id, text] of this.#texts) expect([id, textOf(till.stored({ id }))]).toEqual([id, text]);
    for (const operation of till.operations.values()) {
      this.#texts.set(operation.id, textOf(operation));
      if (!isIn(operation, "superseded")) continue;
      const successor = till.stored({ id: operation.status.supersededBy ?? "" });
      expect(successor.supersedes).toContain(operation.id);
    }
  }
}

test.each([
  ["whose answers are lost and late", false],
  ["whose answers are lost and late, and that is put back from backups", true],
])("two tills and a server %s: what is kept is exact at every step, and in the end all agree", async (_, restores) => {
  await fc.assert(
    fc.asyncProperty(steps(2, restores, change), async (day) => {
      const shops = await Shops.open(2);
      const memories = shops.lines.map(() => new Memory());
      const look = () => {
        for (const [n, { till }] of shops.lines.entries()) {
          expectExact(till);
          memories[n]?.expectKept(till);
        }
      };
      for (const step of day) {
        await shops.run(step);
        look();
      }
      await shops.converge(look);
      const shown = await shops.shown();
      for (const { till } of shops.lines) expect(views(till)).toEqual(shown);
      await expectCountedOnce(shops);
    }),
    times(100),
  );
});

/** Exactly once (L2): no counter has lost a step or has one twice, and no sale is missing. */
async function expectCountedOnce({ world, lines }: Shops): Promise<void> {
  const all = lines.flatMap(({ till }) => [...till.operations.values()]);
  const sums = new Map<string, Record<string, number | string>>();
  for (const { action, collection, entityId, by = {} } of all) {
    if (action !== "increment") continue;
    const sum = sums.get(`${collection}/${entityId}`) ?? {};
    for (const [counter, step] of Object.entries(by))
      sum[counter] = addCounter(sum[counter] ?? (typeof step === "string" ? "0" : 0), step) ?? Number.NaN;
    sums.set(`${collection}/${entityId}`, sum);
  }
  for (const [subject, sum] of sums) {
    const [collection = "", id = ""] = subject.split("/");
    const counters = (await world.row(collection, id))?.counters ?? {};
    for (const [counter, total] of Object.entries(sum))
      expect([subject, counter, Number(counters[counter])]).toEqual([subject, counter, Number(total)]);
  }
  for (const sale of all.filter(({ kind }) => kind === "fact"))
    expect((await world.row(sale.collection, sale.entityId))?.state).toBe("live");
}

/**
 * Only one row of each kind, so that much happens to it. A till can't show what it counts on a row that it does not
 * have [H4].
 */
const changeOfOne = change
  .map((one) => (one.collection === "sales" ? one : { ...one, entityId: one.entityId.replace("2", "1") }))
  .map((one) => (one.action === "increment" ? { ...one, mustExist: true } : one));

test.each([
  ["when answers are lost and late", false],
  ["when it is put back from backups, too", true],
])("where nobody else writes, nothing that a server says changes what a till shows, %s (L8)", async (_, restores) => {
  await fc.assert(
    fc.asyncProperty(steps(1, restores, changeOfOne), (day) => expectSteady(day)),
    times(500),
  );
});

/** A row is edited, and sold while the edits wait: the sale goes first, and its answer tells of the row before theirs do. */
function soldUnderEdits(restores: boolean): fc.Arbitrary<readonly Step[]> {
  const sold = fc
    .tuple(fc.nat(1_000_000), points)
    .map(([id, stock]) => [
      create("sales", `s-${id}`, { totalCents: 1, productId: "p-1" }),
      { ...increment("products", "p-1", { stock }), mustExist: true },
    ]);
  const edited = changeOfOne.filter(({ collection }) => collection === "products").map((one) => [one]);
  const requests = { till: fc.constant(0), most: fc.integer({ min: 1, max: 2 }), fate };
  const all: fc.WeightedArbitrary<Step>[] = [
    {
      weight: 4,
      arbitrary: fc
        .oneof(edited, sold)
        .map((changes): Step => ({ kind: "write", till: 0, changes: changes as readonly LocalChange[] })),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("push" as const), ...requests }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("pull" as const), ...requests }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("deliver" as const), till: fc.constant(0), which: fc.nat(3) }),
    },
  ];
  if (restores) all.push({ weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("backup", "restore") }) });
  const known: readonly Step[] = [
    { kind: "write", till: 0, changes: [create("products", "p-1", { name: "A", priceCents: 1, stock: 0 })] },
    { kind: "push", till: 0, most: 1, fate: "answered" },
    { kind: "pull", till: 0, most: 1, fate: "answered" },
  ];
  return fc.array(fc.oneof(...all), { minLength: 4, maxLength: 25 }).map((day) => [...known, ...day]);
}

/** What a till has sent comes back in any order, and without rows [C6]. */
test.each([
  ["few results", false, { resultsPerAnswer: 2 }],
  ["few rows", false, { pullBytes: 60 }],
  ["little, and the server is put back from backups", true, { resultsPerAnswer: 2, pullBytes: 60 }],
])("nor does it where an answer holds %s (L8)", async (_, restores, limits) => {
  const { resultsPerAnswer, pullBytes } = LIMITS;
  Object.assign(LIMITS, limits);
  try {
    await fc.assert(fc.asyncProperty(soldUnderEdits(restores), expectSteady), times(300));
  } finally {
    Object.assign(LIMITS, { resultsPerAnswer, pullBytes });
  }
});

async function expectSteady(day: readonly Step[]): Promise<void> {
  const shops = await Shops.open(1);
  const [line] = shops.lines as [DecisionLine];
  let shown = shownBy(line.till);
  const look = () => expect(shownBy(line.till)).toEqual(shown);
  for (const step of day) {
    await shops.run(step);
    if (step.kind === "write") shown = shownBy(line.till);
    look();
  }
  await shops.converge(look);
  expect([...line.till.operations.values()].filter(isOpen)).toEqual([]);
}

/**
 * Without the counters of deleted rows: they live on at the server, which does not report them until the row is created
 * again [H4].
 */
function shownBy(till: DecisionTill): unknown {
  const deleted = new Set(
    [...till.operations.values()]
      .filter(({ action }) => action === "delete")
      .map(({ collection, entityId }) => subjectOf(collection, entityId)),
  );
  const shown = Object.entries(views(till)).map(([at, data]) => [at, deleted.has(at) ? { ...data, stock: 0 } : data]);
  return amounts(Object.fromEntries(shown));
}

/** `"1.50"` and `"1.5"` are the same amount: the number of trailing zeros depends on which values were added. */
function amounts<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (key, member) => (key === "litres" ? Number(member) : member));
}
