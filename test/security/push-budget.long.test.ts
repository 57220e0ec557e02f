/**
 * What one push may cost (L12): the worst body of each kind, and drawn ones. What is stored and answered is measured against
 * what was sent, and work is counted, not timed: judgements, keys asked for, rows and bytes handed over by the store.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { LIMITS } from "../../src/protocol/constants.ts";
import type { OperationResult, PushResponse } from "../../src/protocol/types.ts";
import { revokeDevice } from "../../src/server/admin/revoke-device.ts";
import { memoryStore } from "../../src/server/memory/index.ts";
import { ask, type ServerStore } from "../../src/server/ports/store.ts";
import { sqliteStore } from "../../src/server/sqlite/index.ts";
import { recordRow } from "../../src/server/testing/rows.ts";
import { HttpTill, openTill, operation, shopServer } from "../server/support/http.ts";
import { payment, product, type Sketch, sale, uuid } from "../server/support/world.ts";
import { times } from "../support/property.ts";
import { type CountedStore, counted, type Work } from "./support/counted-store.ts";

const KIB = 1_024;
const MIB = KIB * KIB;

/** A push may keep so many bytes of the disk for each that it sent, and besides, whatever it sent, one row of usual size. */
const STORED_PER_BYTE = 24;
const STORED_PER_PUSH = 128 * KIB;
/** It is answered so many for each, and besides a page of rows, a page of older results, and the row that ends each. */
const ANSWERED_PER_BYTE = 3;
const ANSWERED_PER_PUSH = 2 * LIMITS.pullBytes + 2 * LIMITS.operationBytes;
/** Judgements for each operation: a push may be judged a second time if it has to read more. */
const JUDGED_PER_OPERATION = 3;
/** Keys for each operation and each id in it, rows for each key, and a page of older results for each push. */
const KEYS_PER_NAME = 8;
const ROWS_PER_PUSH = 2 * (LIMITS.resultsPerAnswer + 128);
/** Operations, each with what was sent and with its result. */
const ROUND = 64 * 2 * LIMITS.operationBytes;
/** Of older results, each with a row. */
const PAGE_OF_RESULTS = 128 * LIMITS.operationBytes;
/** Bytes of rows that a transaction has in memory: the bound, what the last round of it read beyond, and older results. */
const LOADED_PER_PUSH = 16 * MIB + ROUND + PAGE_OF_RESULTS;
/** Of a transaction of which a single piece asks for more. */
const LOADED_AT_MOST = 64 * MIB + ROUND + PAGE_OF_RESULTS;

const LARGE = 250_000;
const QUARANTINED_CENTS = 1;

interface Shop {
  readonly server: { readonly handler: (request: Request) => Promise<Response> };
  readonly counts: CountedStore;
  /** How often a policy was asked about an operation since the last call. */
  judged(): number;
}

function shopOn(inner: ServerStore, reads?: () => { products: readonly string[] }): Shop {
  const counts = counted(inner);
  let judgements = 0;
  const everyone = { read: "everyone", create: "everyone" } as const;
  const applied = () => {
    judgements += 1;
    return { outcome: "applied" } as const;
  };
  const server = shopServer(
    {
      products: {
        scope: "tenant",
        allow: { ...everyone, update: "everyone", delete: "everyone", force: "everyone" },
        decide: applied,
      },
      sales: {
        scope: "tenant",
        allow: everyone,
        ...(reads && { reads }),
        decide: ({ next }) => {
          judgements += 1;
          const isWrong = next?.totalCents === QUARANTINED_CENTS;
          return isWrong ? { outcome: "quarantined", code: "arithmetic", message: "no" } : { outcome: "applied" };
        },
      },
      payments: { scope: "tenant", allow: everyone, decide: applied },
    },
    {},
    counts.store as never,
  );
  return {
    server,
    counts,
    judged() {
      const before = judgements;
      judgements = 0;
      return before;
    },
  };
}

/** How a push went: what was sent and answered, in bytes. */
interface Pushed {
  readonly sent: number;
  readonly answered: number;
  readonly names: number;
  readonly operations: number;
  readonly results: readonly OperationResult[];
}

/** Without marks, so that the answer carries the device's older results too. */
async function push(till: HttpTill, sketches: readonly object[]): Promise<Pushed> {
  const operations = sketches.map((sketch) => ("sequence" in sketch ? sketch : operation(sketch as Sketch)));
  const body = JSON.stringify({ ...till.frame, marks: {}, operations });
  const response = await till.call("POST", "push", body);
  const text = await response.text();
  if (response.status !== 200) throw new Error(text.slice(0, 500));
  const { results } = JSON.parse(text) as PushResponse;
  const own = new Set((operations as { id: string }[]).map(({ id }) => id));
  const names = operations.reduce((sum, each) => sum + namedIn(each as Naming), 0);
  return {
    ...{ sent: body.length, answered: text.length, names, operations: operations.length },
    results: results.filter(({ id }) => own.has(id)),
  };
}

function namedIn({ after = [], supersedes = [] }: Naming): number {
  return 1 + after.length + supersedes.length;
}

interface Naming {
  readonly after?: readonly string[] | undefined;
  readonly supersedes?: readonly string[] | undefined;
}

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
let made = 0;
const unseen = () => uuid(9_000_000_000 + ++made);
const large = (id: string) => product(id, { name: "x", note: "x".repeat(LARGE) });
/** Forced, so that it needs no version of the row to be applied. */
const edit = (id: string, patch: object, more: object = {}): Sketch => ({
  ...{ action: "update", collection: "products", entityId: id, baseVersion: 0, patch, force: true },
  ...more,
});
const gone = (more: object): Sketch => ({ action: "void", collection: "products", entityId: "p-0", ...more });

/** A kind of body: what is there before it, and its operations. */
interface Kind {
  readonly name: string;
  readonly prepare?: (till: HttpTill) => Promise<unknown>;
  readonly body: (count: number) => readonly object[];
  readonly expected: string;
}

async function filled(till: HttpTill, sketches: readonly object[]): Promise<void> {
  // A body holds at most 8 MiB.
  for (let at = 0; at < sketches.length; at += 25) await till.push(...(sketches.slice(at, at + 25) as Sketch[]));
}

/** @param larges how many large rows there are, or operations that were large */
function kinds(larges: number): readonly Kind[] {
  const again = many(500, (n) => operation(edit("p-0", { priceCents: n })));
  const reused = many(500, (n) => operation(edit("p-0", { priceCents: n })));
  const first = operation(edit("p-0", { priceCents: -1 }));
  const rows = many(larges, (n) => `row-${n}`);
  const stored = many(larges, (n) => operation(large(`stored-${n}`)));
  const taken = many(larges, (n) => operation(edit("p-0", { note: `${n}`.padEnd(LARGE, "x"), priceCents: -1 })));
  return [
    {
      name: "conflicts with a large row",
      body: (count) => many(count, (n) => edit("p-0", { priceCents: n }, { force: false })),
      expected: "conflict",
    },
    {
      name: "conflicts with a row that is small enough to be kept",
      prepare: (till) => {
        const office = new HttpTill(till.server, "office");
        office.epoch = till.epoch;
        office.incarnation = uuid(1);
        return push(office, [product("usual", { name: "x", note: "x".repeat(60_000) })]);
      },
      body: (count) => many(count, (n) => edit("usual", { priceCents: n }, { force: false })),
      expected: "conflict",
    },
    {
      name: "rejections that bring a large row back",
      body: (count) => many(count, () => edit("p-0", { priceCents: -1 })),
      expected: "rejected",
    },
    {
      name: "edits of a large row that were applied",
      body: (count) => many(count, (n) => edit("p-0", { priceCents: n })),
      expected: "applied",
    },
    {
      name: "edits of a large row that were sent before",
      prepare: (till) => push(till, again),
      body: (count) => again.slice(0, count),
      expected: "applied",
    },
    {
      name: "edits that come too late for a large row",
      prepare: (till) => push(till, [first, edit("p-0", { priceCents: -2 }, { supersedes: [first.id] })]),
      body: (count) => many(count, () => edit("p-0", { priceCents: 1 }, { supersedes: [first.id] })),
      expected: "rejected",
    },
    {
      name: "other operations under ids that are taken",
      prepare: (till) => push(till, reused),
      body: (count) => reused.slice(0, count).map((each) => ({ ...each, patch: { priceCents: 7, name: "y" } })),
      expected: "rejected",
    },
    {
      name: "refused edits of many large rows",
      prepare: (till) => filled(till, rows.map(large)),
      body: (count) => many(count, (n) => edit(rows[n % rows.length] as string, { priceCents: -1 })),
      expected: "rejected",
    },
    {
      name: "other operations under the ids of many large ones",
      prepare: (till) => filled(till, stored),
      body: (count) => stored.slice(0, count).map((each) => ({ ...each, data: { name: "y" } })),
      expected: "rejected",
    },
    {
      name: "operations that wait for many large ones",
      prepare: (till) => filled(till, taken),
      body: (count) => many(count, () => edit("p-0", { priceCents: 1 }, { after: taken.map(({ id }) => id) })),
      expected: "blocked",
    },
    {
      name: "voids of ids that were never seen",
      body: (count) => many(count, () => gone({ supersedes: many(250, unseen) })),
      expected: "applied",
    },
    {
      name: "edits in the place of ids that were never seen",
      body: (count) => many(count, () => edit("p-0", { priceCents: 1 }, { supersedes: many(250, unseen) })),
      expected: "applied",
    },
    {
      name: "refused edits in the place of ids that were never seen",
      body: (count) => many(count, () => edit("p-0", { priceCents: -1 }, { supersedes: many(250, unseen) })),
      expected: "rejected",
    },
    {
      name: "edits that wait for ids that were never seen",
      body: (count) => many(count, () => edit("p-0", { priceCents: 1 }, { after: many(250, unseen) })),
      expected: "blocked",
    },
    {
      name: "one transaction with tens of thousands of ids",
      body: (count) => many(count, () => gone({ transaction: "t-1", supersedes: many(count > 1 ? 50 : 250, unseen) })),
      expected: "rejected|applied",
    },
    {
      name: "large operations that are malformed",
      body: (count) => many(Math.min(count, 30), () => ({ ...sale(unseen()), strange: "x".repeat(LARGE) })),
      expected: "quarantined",
    },
    {
      name: "operations that are too large",
      body: (count) =>
        many(Math.min(count, 25), () => sale(unseen(), { totalCents: 5, orderNumber: "x".repeat(300_000) })),
      expected: "quarantined",
    },
    {
      name: "sales that name many large rows",
      prepare: (till) => filled(till, rows.map(large)),
      body: (count) => many(count, (n) => sale(unseen(), { totalCents: 5, productId: rows[n % rows.length] })),
      expected: "applied",
    },
  ];
}

/** One that writes what the others edit, so that their edits are of another incarnation than the row. */
async function opened(shop: Shop, kind: Kind): Promise<HttpTill> {
  const office = await openTill(shop.server, "office");
  office.incarnation = uuid(1);
  await push(office, [large("p-0")]);
  const till = await openTill(shop.server);
  await kind.prepare?.(till);
  return till;
}

function expectAnswered(pushes: readonly Pushed[]): void {
  for (const { sent, answered } of pushes) {
    expect(answered).toBeLessThanOrEqual(ANSWERED_PER_PUSH + ANSWERED_PER_BYTE * sent);
  }
}

function expectWork(pushes: readonly Pushed[], work: Work, judged: number, loaded = LOADED_PER_PUSH): void {
  const sum = (of: (pushed: Pushed) => number) => pushes.reduce((total, each) => total + of(each), 0);
  expect(judged).toBeLessThanOrEqual(JUDGED_PER_OPERATION * sum(({ operations }) => operations));
  const keys = KEYS_PER_NAME * sum(({ names }) => names) + 40 * pushes.length;
  expect(work.keys).toBeLessThanOrEqual(keys);
  expect(work.rows).toBeLessThanOrEqual(keys + ROWS_PER_PUSH * pushes.length);
  expect(work.bytes.transaction).toBeLessThanOrEqual(loaded);
}

/** For the tables of docs/security.md: `BUDGET=1 npx vitest run test/security/push-budget.long.test.ts`. */
function tell(name: string, figures: object): void {
  if (process.env.BUDGET !== undefined) console.log(`${name}: ${JSON.stringify(figures)}`);
}

describe.each(["one push of 500", "thirty pushes of one"] as const)("%s", (shape) => {
  const shaped = (kind: Kind) =>
    shape === "one push of 500" ? [kind.body(500)] : many(30, () => kind.body(30).slice(0, 1));

  test.each(kinds(40).map((kind) => [kind.name, kind] as const))("%s: work and answer", async (name, kind) => {
    const shop = shopOn(memoryStore());
    const till = await opened(shop, kind);
    shop.counts.take();
    shop.judged();
    const pushes: Pushed[] = [];
    for (const body of shaped(kind)) pushes.push(await push(till, body));
    const [work, judged] = [shop.counts.take(), shop.judged()];
    tell(`${shape}, ${name}`, {
      sent: pushes.reduce((total, { sent }) => total + sent, 0),
      answered: pushes.reduce((total, { answered }) => total + answered, 0),
      judged,
      ...work,
    });
    expect(pushes[0]?.results[0]?.status).toMatch(new RegExp(`^(${kind.expected})$`));
    expectAnswered(pushes);
    expectWork(pushes, work, judged);
  });

  // A disk is slow to fill, and what a push adds to it does not depend on how much is there.
  test.each(kinds(20).map((kind) => [kind.name, kind] as const))("%s: disk", async (name, kind) => {
    const folder = await mkdtemp(join(tmpdir(), "tillsync-budget-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, "shop.sqlite");
    const before = sqliteStore({ path });
    const { epoch } = await opened(shopOn(before), kind);
    // Closing merges the log.
    await before.close();
    const { size } = await stat(path);
    const after = sqliteStore({ path });
    const till = new HttpTill(shopOn(after).server);
    till.epoch = epoch;
    const pushes: Pushed[] = [];
    for (const body of shaped(kind)) pushes.push(await push(till, body));
    await after.close();
    const stored = (await stat(path)).size - size;
    const sent = pushes.reduce((total, each) => total + each.sent, 0);
    tell(`${shape}, ${name}`, { sent, stored });
    expect(stored).toBeLessThanOrEqual(STORED_PER_PUSH * pushes.length + STORED_PER_BYTE * sent);
  });
});

/** The first of them: twenty pushes of the largest would only wait for each other. */
function withinMebibyte(body: readonly object[]): readonly object[] {
  let bytes = 0;
  return body.filter((each) => {
    bytes += JSON.stringify(each).length;
    return bytes <= MIB;
  });
}

describe("twenty pushes at once", () => {
  test.each(kinds(40).map((kind) => [kind.name, kind] as const))("%s", async (name, kind) => {
    const shop = shopOn(memoryStore());
    await opened(shop, kind);
    const tills = await Promise.all(
      many(20, async (n) => {
        const till = await openTill(shop.server, `till-${n}`);
        till.incarnation = uuid(100 + n);
        return till;
      }),
    );
    shop.counts.take();
    shop.judged();
    const pushes = await Promise.all(
      tills.map((till, n) =>
        push(
          till,
          withinMebibyte(kind.body(100)).map((each) => ({
            ...operation(each as Sketch),
            sequence: n * 1_000_000 + ++made,
          })),
        ),
      ),
    );
    const [work, judged] = [shop.counts.take(), shop.judged()];
    tell(`twenty, ${name}`, { sent: pushes.reduce((total, { sent }) => total + sent, 0), judged, ...work });
    expectAnswered(pushes);
    expectWork(pushes, work, judged);
  });
});

test("whatever a push is drawn of", async () => {
  const kind = fc.constantFrom(...kinds(40));
  const drawn = fc.array(fc.tuple(kind, fc.integer({ min: 1, max: 30 })), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(drawn, async (parts) => {
      const shop = shopOn(memoryStore());
      const till = await opened(shop, parts[0]?.[0] as Kind);
      for (const [{ prepare }] of parts.slice(1)) await prepare?.(till);
      shop.counts.take();
      shop.judged();
      const seen = new Set<string>();
      const body = parts
        .flatMap(([{ body }, count]) => body(count))
        .filter((each) => !("id" in each) || (!seen.has(each.id as string) && seen.add(each.id as string)))
        .slice(0, LIMITS.pushOperations);
      let bytes = 0;
      const sized = body.filter((each) => {
        bytes += JSON.stringify(each).length;
        return bytes < 7 * MIB;
      });
      const pushed = await push(till, sized);
      const work = shop.counts.take();
      expectAnswered([pushed]);
      expectWork([pushed], work, shop.judged());
      expect(work.written.bytes).toBeLessThanOrEqual(STORED_PER_PUSH + LARGE + STORED_PER_BYTE * pushed.sent);
    }),
    times(5),
  );
});

describe("a chain of fifty links, beside 499 large sales", () => {
  const bigSale = () => sale(unseen(), { totalCents: 5, orderNumber: undefined, productId: "p-9".padEnd(2_000, "x") });
  const beside = (last: object) => [...many(499, bigSale), last];

  /** The ids of the chain, oldest first: each operation stands in the place of the one before. */
  async function chainOf(till: HttpTill, link: (n: number) => Sketch): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let n = 0; n < 50; n++) {
      const next = operation({ ...link(n), ...(n > 0 && { supersedes: [ids[n - 1]] }) });
      await push(till, [next]);
      ids.push(next.id);
    }
    return ids;
  }
  const rejectedEdit = (n: number) => edit("nobody", { priceCents: n });
  const quarantinedSale = (n: number) => ({
    ...sale("s-chain", { totalCents: QUARANTINED_CENTS }),
    transaction: `t-${n}`,
  });
  const chains: readonly (readonly [string, (n: number) => Sketch, (ids: readonly string[]) => Sketch])[] = [
    ["waited for", rejectedEdit, ([first]) => ({ ...sale(unseen()), after: [first] })],
    ["waited for by an edit", rejectedEdit, ([first]) => edit("p-0", { priceCents: 1 }, { after: [first] })],
    ["replaced at its head", rejectedEdit, ([first]) => edit("nobody", {}, { supersedes: [first] })],
    ["replaced at its end", rejectedEdit, (ids) => edit("nobody", {}, { supersedes: [ids.at(-1)] })],
    ["replaced as a whole", rejectedEdit, (ids) => edit("nobody", {}, { supersedes: ids })],
    [
      "of quarantined transactions, replaced at its end",
      quarantinedSale,
      (ids) => ({ ...sale("s-chain"), supersedes: [ids.at(-1)] }),
    ],
    [
      "of quarantined transactions, given up",
      quarantinedSale,
      (ids) => ({ action: "void", collection: "sales", entityId: "s-chain", supersedes: [ids.at(-1)] }),
    ],
  ];

  test.each(chains)("%s, is followed before anything is judged", async (name, link, last) => {
    const shop = shopOn(memoryStore());
    const till = await openTill(shop.server);
    const ids = await chainOf(till, link);
    shop.counts.take();
    shop.judged();
    const pushed = await push(till, beside(last(ids)));
    const [work, judged] = [shop.counts.take(), shop.judged()];
    tell(`chain ${name}`, { judged, ...work });
    expect(judged).toBeLessThanOrEqual(2 * 500 + 50);
    expect(work.transactions).toBeLessThanOrEqual(2);
    expect(work.rounds).toBeLessThanOrEqual(200);
    expectAnswered([pushed]);
  });

  test("of each kind, in pushes that are joined", async () => {
    const shop = shopOn(memoryStore());
    const tills: HttpTill[] = [];
    const bodies: (readonly object[])[] = [];
    for (const [n, [, link, last]] of chains.entries()) {
      const till = await openTill(shop.server, `till-${n}`);
      till.incarnation = uuid(200 + n);
      const ids = await chainOf(till, (m) => ({ ...link(m), entityId: `e-${n}` }));
      tills.push(till);
      bodies.push([...many(99, bigSale), { ...last(ids), entityId: `e-${n}` }]);
    }
    shop.judged();
    const pushes = await Promise.all(tills.map((till, n) => push(till, bodies[n] ?? [])));
    const judged = shop.judged();
    tell("chains, joined", { judged });
    expect(judged).toBeLessThanOrEqual(3 * 100 * chains.length);
    expectAnswered(pushes);
  });
});

describe("rows that are more than may be in memory", () => {
  const rows = many(600, (n) => `row-${n}`);

  /** A shop that has them. They come past the server, which would take a while for so many. */
  async function stocked(reads?: () => { products: readonly string[] }) {
    const inner = memoryStore();
    const shop = shopOn(inner, reads);
    const till = await openTill(shop.server);
    await inner.transact("shop", function* () {
      const clock = yield* ask({ kind: "clock" });
      if (clock === undefined) throw new Error("the till has not registered");
      const data = { name: "x", note: "x".repeat(LARGE), priceCents: 0 };
      const records = rows.map((id, n) => recordRow(id, clock.position + 1 + n, { data, counters: {}, fields: {} }));
      return { value: undefined, writes: { records, clock: { ...clock, position: clock.position + rows.length } } };
    });
    shop.counts.take();
    return { shop, till };
  }

  test("are put off if a push names them, behind what was read", async () => {
    const { shop, till } = await stocked();
    const { results } = await push(
      till,
      rows.slice(0, 500).map((id) => edit(id, { priceCents: 1 })),
    );
    const work = shop.counts.take();
    tell("500 large rows", work);
    expect([results[0], results.at(-1)]).toMatchObject([{ status: "applied" }, { error: { code: "push_budget" } }]);
    // Once, and not again piece by piece.
    expect(work.bytes.all).toBeLessThanOrEqual(LOADED_PER_PUSH);
  });

  test("put off the one operation whose policy reads them all, and nothing else", async () => {
    const { shop, till } = await stocked(() => ({ products: rows }));
    const { results } = await push(till, [edit("row-1", { priceCents: 1 }), sale("s-1", { totalCents: 5 })]);
    const work = shop.counts.take();
    tell("a policy that reads 600 large rows", work);
    expect(results).toMatchObject([{ status: "applied" }, { status: "retry", error: { code: "internal" } }]);
    expect(work.bytes.transaction).toBeLessThanOrEqual(LOADED_AT_MOST);
  });
});

describe("members of one transaction that arrived in many pushes", () => {
  test("are not all read for each push: the first two transactions' worth are", async () => {
    const rows = async (members: number) => (await replaced(members)).work.rows;
    expect(await rows(10 * LIMITS.transactionOperations)).toBe(await rows(6 * LIMITS.transactionOperations));
  });

  test("are judged no more often than they are there, and what they weigh is bounded", async () => {
    const { work, pushes, members } = await replaced(500);
    tell("members", work);
    expect(work.rows).toBeLessThanOrEqual((4 * members + ROWS_PER_PUSH) * pushes);
    expect(work.bytes.transaction).toBeLessThanOrEqual(LOADED_AT_MOST);
  });

  /** A sale that can't be booked, and 249 that could be but for it. */
  async function setAside(more: (n: number) => object = () => ({})) {
    const shop = shopOn(memoryStore());
    const till = await openTill(shop.server);
    const earlier = many(249, () => operation(sale(unseen(), { totalCents: 5 })));
    await push(till, earlier);
    const bad = operation({ ...sale("m-0", { totalCents: QUARANTINED_CENTS }), transaction: "t-1" });
    const others = earlier.map(({ id }, n) =>
      operation({ ...sale(`m-${n + 1}`, { totalCents: 5 }), transaction: "t-1", after: [id], ...more(n) }),
    );
    const members = [...others, bad];
    const { results } = await push(till, members);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["quarantined"]));
    shop.counts.take();
    shop.judged();
    return { shop, till, members, bad };
  }

  test("are judged again in few runs when the one that kept them back is replaced", async () => {
    const { shop, till, bad } = await setAside();
    const beside = many(200, () => sale(unseen(), { totalCents: 5 }));
    const { results } = await push(till, [...beside, { ...sale("m-0", { totalCents: 5 }), supersedes: [bad.id] }]);
    expect(results.at(-1)?.status).toBe("applied");
    expect(shop.judged()).toBeLessThanOrEqual(JUDGED_PER_OPERATION * (201 + 249));
  });

  test("are not all judged again for each of them that is replaced: what is more is put off", async () => {
    const { shop, till, members } = await setAside();
    const { results } = await push(
      till,
      members.slice(0, 200).map(({ id, entityId }) => ({ ...sale(entityId, { totalCents: 5 }), supersedes: [id] })),
    );
    const judged = shop.judged();
    tell("members, each replaced", { judged });
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["quarantined", "retry"]));
    expect(judged).toBeLessThanOrEqual(10_000);
  });

  test("lead to few of the operations that they name, when each of them is given up", async () => {
    const { shop, till, members } = await setAside((n) => ({
      supersedes: n === 0 ? [] : many(40, () => uuid(8_000_000_000 + ++made)),
    }));
    const { results } = await push(
      till,
      members.slice(0, 100).map(({ id, entityId }) => {
        return { action: "void", collection: "sales", entityId, supersedes: [id] };
      }),
    );
    const work = shop.counts.take();
    tell("members, each given up", work);
    expect(results[0]?.status).toBe("applied");
    expect(work.keys).toBeLessThanOrEqual(8_000);
  });

  /** One by one, each quarantined member is replaced by one that is quarantined too. */
  async function replaced(members: number) {
    const shop = shopOn(memoryStore());
    const till = await openTill(shop.server);
    const all = many(members, (n) =>
      operation({ ...sale(`m-${n}`, { totalCents: QUARANTINED_CENTS }), transaction: "t-1" }),
    );
    for (let at = 0; at < members; at += 100) await push(till, all.slice(at, at + 100));
    shop.counts.take();
    const pushes = 10;
    for (const { id, entityId } of all.slice(0, pushes)) {
      await push(till, [{ ...sale(entityId, { totalCents: QUARANTINED_CENTS }), supersedes: [id] }]);
    }
    return { work: shop.counts.take(), pushes, members };
  }
});

test("another tenant's push waits for one transaction of the pushes that are there, not for all of them", async () => {
  for (const inner of [memoryStore(), sqliteStore({ path: ":memory:" })]) {
    const shop = shopOn(inner);
    const tills = await Promise.all(
      many(40, async (n) => {
        const till = await openTill(shop.server, `till-${n}`);
        till.incarnation = uuid(300 + n);
        return till;
      }),
    );
    const other = await openTill(shop.server, "till-x", "other/till-x");
    shop.judged();
    let judged = 0;
    const flood = tills.map((till) =>
      push(
        till,
        many(250, () => sale(unseen())),
      ),
    );
    // Behind the first of them, before the others.
    await flood[0];
    shop.judged();
    const answered = await push(other, [sale("theirs")]);
    judged = shop.judged();
    await Promise.all(flood);
    tell(`another tenant, ${inner.kind}`, { judged });
    expect(answered.results[0]).toMatchObject({ status: "applied" });
    // Ten pushes of 250 share a transaction. One runs, and one may have been begun before.
    expect(judged).toBeLessThanOrEqual(2 * 10 * 250);
    await inner.close();
  }
});

describe("a quarantine is full one day", () => {
  const heldBy = async ({ store }: CountedStore, device: string) =>
    store.read("shop", function* script() {
      const [held] = yield [{ kind: "held", device }];
      return held as { readonly operations: number; readonly bytes: number };
    });
  /** Pushes until something is put off. */
  async function flood(shop: Shop, till: HttpTill, body: () => readonly object[]) {
    for (let pushes = 1; pushes <= 40; pushes++) {
      const { results } = await push(till, body());
      const last = results.at(-1);
      if (last?.status === "retry") return { pushes, code: last.error.code, held: await heldBy(shop.counts, "till-1") };
    }
    throw new Error("Nothing was put off");
  }
  const largeOnes = () =>
    many(25, () => sale(unseen(), { totalCents: QUARANTINED_CENTS, orderNumber: "x".repeat(LARGE) }));
  const malformed = () => many(25, () => ({ ...sale(unseen()), strange: "x".repeat(LARGE) }));
  const smallOnes = () => many(500, () => sale(unseen(), { totalCents: QUARANTINED_CENTS }));

  test.each([
    ["large sales", largeOnes],
    ["malformed ones", malformed],
    ["small sales", smallOnes],
  ])("of %s", async (_name, body) => {
    const shop = shopOn(memoryStore());
    const { code, held } = await flood(shop, await openTill(shop.server), body);
    expect(code).toBe("quarantine_full");
    expect(held.operations).toBeLessThanOrEqual(10_000);
    expect(held.bytes).toBeLessThanOrEqual(32 * MIB);
  });

  test.each([
    ["large sales", largeOnes],
    ["small sales", smallOnes],
  ])("of %s from a revoked device, sooner", async (_name, body) => {
    const shop = shopOn(memoryStore());
    const till = await openTill(shop.server);
    await revokeDevice({ store: shop.counts.store, tenant: "shop", device: "till-1" });
    const { code, held } = await flood(shop, till, body);
    expect(code).toBe("quarantine_full");
    expect(held.operations).toBeLessThanOrEqual(5_000);
    expect(held.bytes).toBeLessThanOrEqual(4 * MIB);
  });
});

test("of the incarnations that a device begins, fifty a day become rows, and no push looks at more than a hundred", async () => {
  const shop = shopOn(memoryStore());
  const till = await openTill(shop.server);
  const statuses: number[] = [];
  for (let n = 0; n < 300; n++) {
    till.incarnation = uuid(5_000 + n);
    const body = { ...till.frame, marks: {}, operations: [] };
    statuses.push((await till.call("POST", n % 2 === 0 ? "push" : "register", { ...body, schemaVersion: 1 })).status);
  }
  expect(statuses.filter((status) => status === 200)).toHaveLength(49);
  expect(statuses.slice(49).every((status) => status === 429)).toBe(true);
  shop.counts.take();
  await till.call("POST", "push", { ...till.frame, marks: {}, operations: [] });
  const work = shop.counts.take();
  expect(work.rows).toBeLessThanOrEqual(110);
  expect(work.written.rows).toBe(0);
});

test("a push that is put off comes to its end: what is left is sent again", async () => {
  const shop = shopOn(memoryStore());
  const till = await openTill(shop.server);
  const rows = many(100, (n) => `row-${n}`);
  await filled(till, rows.map(large));
  await push(till, [{ ...payment(unseen(), unseen()) }]);
  let left: readonly object[] = rows.map((id) => operation(edit(id, { priceCents: 5 })));
  let pushes = 0;
  for (; left.length > 0 && pushes < 100; pushes++) {
    const { results } = await push(till, left);
    const done = new Set(results.filter(({ status }) => status === "applied").map(({ id }) => id));
    expect(done.size).toBeGreaterThan(0);
    left = left.filter((each) => !done.has((each as { id: string }).id));
  }
  expect(left).toEqual([]);
  expect(pushes).toBeLessThanOrEqual(20);
});

test("a push that is tried unit by unit, because it failed as a whole, asks for no more", async () => {
  const inner = memoryStore();
  let failing = false;
  const store: ServerStore = {
    kind: "memory",
    "~port": "server-store",
    read: (tenant, script) => inner.read(tenant, script),
    secret: () => inner.secret(),
    close: () => inner.close(),
    transact: (tenant, script) => {
      if (!failing) return inner.transact(tenant, script);
      failing = false;
      return Promise.reject(new Error("poison"));
    },
  };
  const till = await openTill(shopOn(store).server);
  const before = inner.snapshot().tenants.shop?.operations?.length ?? 0;
  failing = true;
  const gone = () => ({ action: "void", collection: "products", entityId: "p-1", supersedes: many(250, unseen) });
  const { results } = await push(till, many(500, gone));
  expect(failing).toBe(false);
  expect(results).toHaveLength(500);
  expect(results.at(-1)).toMatchObject({ status: "retry", error: { code: "push_budget" } });
  const stored = (inner.snapshot().tenants.shop?.operations?.length ?? 0) - before;
  expect(stored).toBeLessThanOrEqual(5 * 251);
});
