/** Which results carry the row that they are about, and which of these rows are kept (L12). */
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { LIMITS } from "../../../src/protocol/constants.ts";
import type { FinalResult, OperationResult, RowState } from "../../../src/protocol/types.ts";
import { defineCollection } from "../../../src/schema/define-collection.ts";
import { Copies, copyBytesOf } from "../../../src/server/decide/copies.ts";
import { WorkingSet } from "../../../src/server/decide/rows/working-set.ts";
import type { ConflictRow } from "../../../src/server/ports/rows.ts";
import { clockRow, conflictRow, operationRow } from "../../../src/server/testing/rows.ts";
import { jsonBytes } from "../../../src/shared/json.ts";
import { collections } from "../support/shop.ts";
import { edit, product, ServerWorld, type Sketch, sale, type Till, uuid } from "../support/world.ts";

const KIB = 1_024;
const LARGE = 240 * KIB;
/** Edits of a large row whose copies are more than an answer carries. */
const MORE_THAN_A_PAGE = Math.ceil(LIMITS.pullBytes / LARGE) + 3;

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

/** A product whose row has that many bytes as JSON. */
function productOf(bytes: number, id = "p-1"): Sketch {
  const row = (note: string) => ({ name: "x", note, priceCents: 0 });
  const rest = jsonBytes(JSON.stringify({ ...row(""), stock: 0 }));
  return product(id, row("x".repeat(bytes - rest)));
}

/** An edit that is rejected with the row as it is: no till sets a counter. */
const refused = (id = "p-1"): Sketch => edit(id, 0, { stock: 1 });

const rowsIn = (results: readonly OperationResult[]) =>
  results.map((result) => ("server" in result ? result.server : undefined));
const areWhole = (results: readonly OperationResult[]) => rowsIn(results).map((row) => row?.data !== undefined);

/** The results as they were stored. */
async function keptOf(till: Till, results: readonly OperationResult[]) {
  const rows = await Promise.all(results.map(({ id }) => till.world.operation(id)));
  return rows.map((row) => row?.result as FinalResult);
}

async function open(...made: readonly Sketch[]) {
  const till = (await ServerWorld.open()).till();
  await till.push(...made);
  return till;
}

describe("the rows that are kept of a push", () => {
  const SIZE = 10 * KIB;

  test("have 64 KiB, and four bytes more for each that was sent", () => {
    expect(copyBytesOf(1_000)).toBe(64 * KIB + 4_000);
  });

  test("may take exactly as much as is allowed", async () => {
    const till = await open(productOf(SIZE));
    till.copyBytes = SIZE;
    expect(areWhole(await keptOf(till, await till.push(refused())))).toEqual([true]);
  });

  test("count together, not each for itself", async () => {
    const till = await open(productOf(SIZE));
    till.copyBytes = 2 * SIZE - 1;
    expect(areWhole(await keptOf(till, await till.push(refused(), refused())))).toEqual([true, false]);
  });
});

describe("the row of a fact", () => {
  const allowing = {
    ...collections,
    sales: defineCollection({
      kind: "fact",
      schema: z.object({ totalCents: z.int(), note: z.string().default("none") }),
    }),
  };
  async function openSales() {
    const till = (await ServerWorld.open({}, allowing as never)).till();
    till.copyBytes = 0;
    return till;
  }

  test("is kept with its create, however little may be kept: it is what was sent", async () => {
    const till = await openSales();
    const [kept] = await keptOf(till, [await till.send(sale("s-1", { totalCents: 5 }))]);
    expect(kept).toMatchObject({ status: "applied", data: { totalCents: 5, note: "none" } });
  });

  test("is not kept with a small create that came too late for a large one", async () => {
    const till = await openSales();
    const stands = await till.send(sale("s-1", { totalCents: 5, note: "x".repeat(LARGE) }));
    const late = await till.send(sale("s-1", { totalCents: 5 }, { supersedes: [stands.id] }));
    expect(areWhole([late, ...(await keptOf(till, [late]))])).toEqual([true, false]);
  });
});

describe("an answer", () => {
  test("carries copies up to exactly a page, beside the one that it always carries", async () => {
    const fitting = 16;
    const till = await open(productOf(LIMITS.pullBytes / fitting));
    const results = await till.push(...many(fitting + 2, () => refused()));
    expect(areWhole(results)).toEqual([false, ...many(fitting + 1, () => true)]);
  });

  test("carries the last copy of each row, however many copies of another one follow", async () => {
    const till = await open(productOf(LARGE, "p-1"), productOf(LARGE, "p-2"));
    const [first] = await till.push(refused("p-1"), ...many(MORE_THAN_A_PAGE, () => refused("p-2")));
    expect(first).toHaveProperty("server.data");
  });

  test("carries the row of every conflict that is judged, also if so much was sent that they are more than a page", async () => {
    const till = await open(productOf(LARGE));
    await till.send(edit("p-1", 0, { note: "y".repeat(LARGE) }));
    const large = many(MORE_THAN_A_PAGE, (n) => edit("p-1", 0, { note: `${n}`.padEnd(100 * KIB) }));
    const results = await till.world.till("b").push(...large);
    expect(rowsIn(results)).toEqual(many(MORE_THAN_A_PAGE, () => expect.objectContaining({ data: expect.anything() })));
  });

  test("tells with every refused edit that the row is deleted: that is no copy", async () => {
    const till = await open(productOf(LARGE, "p-1"), product("gone"));
    const baseVersion = await till.world.version("products", "gone");
    await till.send({ action: "delete", collection: "products", entityId: "gone", baseVersion });
    // No row has had this version: the edit is rejected, and not in conflict with the deletion.
    const forged = edit("gone", 2 ** 52 - 1, { name: "y" });
    const results = await till.push(forged, forged, ...many(MORE_THAN_A_PAGE, () => refused("p-1")));
    expect(rowsIn(results.slice(0, 2))).toMatchObject([{ deleted: true }, { deleted: true }]);
  });
});

describe("measuring the rows in results", () => {
  const rejected = (server: RowState): FinalResult => ({
    ...{ id: "o-1", status: "rejected", server },
    error: { code: "validation_failed", message: "no" },
  });
  const conflict = (server: ConflictRow["server"]) => conflictRow("k-1", 12, { server });
  function working(...ids: readonly string[]) {
    const ws = new WorkingSet(clockRow(10));
    for (const id of ids) ws.putOperation(operationRow(id, 11));
    return ws;
  }

  test("reads each row once, however many results it is in", () => {
    let measured = 0;
    const data = {
      get name() {
        measured += 1;
        return "Cola";
      },
    };
    const copies = new Copies(working("o-1"));
    for (let n = 0; n < 3; n++) copies.bytesOf(rejected({ version: 5, data }));
    expect(measured).toBe(1);
  });

  test("counts nothing for an operation that is not loaded yet, and lets the run go on", () => {
    expect(new Copies(working()).bytesOf(rejected({ version: 5, data: { name: "Cola" } }))).toBe(0);
  });

  test("asks the store for nothing where a result has no row", () => {
    const ws = working();
    new Copies(ws).bytesOf({ id: uuid(1), status: "blocked", by: [] });
    expect(ws.lacksRows).toBe(false);
  });

  test("does not take a row to be empty because a conflict lacks it", () => {
    const copies = new Copies(working());
    copies.bytesOfConflict(conflict({ version: 5, omitted: true }));
    expect(copies.bytesOfConflict(conflict({ version: 5, data: { name: "Cola" } }))).toBe(15);
  });
});

describe("the names of a conflict that its operation does not have itself", () => {
  const loose = { ...collections, products: defineCollection({ schema: z.record(z.string(), z.any()) }) };
  const names = (count: number, length = 1) => many(count, (n) => `f-${n}`.padEnd(length, "x"));
  const rowOf = (fields: readonly string[]) => product("p-1", Object.fromEntries(fields.map((name) => [name, 0])));
  const creation = (data: object): Sketch => ({ action: "create", collection: "products", entityId: "p-1", data });
  const deletion: Sketch = { action: "delete", collection: "products", entityId: "p-1", baseVersion: 0 };

  async function met(row: Sketch, sketch: Sketch) {
    const world = await ServerWorld.open({}, loose as never);
    await world.till("a").push(row);
    const [result] = await world.till("b").push(sketch);
    const [listed] = await world.conflicts();
    const fields = result?.status === "conflict" ? result.fields : undefined;
    expect(listed?.fields).toEqual(fields);
    return fields;
  }

  test.each([
    ["a creation", creation({})],
    ["a deletion", deletion],
  ])("are a hundred at most: %s", async (_what, sketch) => {
    expect(await met(rowOf(names(15_000)), sketch)).toEqual(names(100));
    expect(await met(rowOf(names(3)), sketch)).toEqual(names(3));
  });

  test("are of four kilobytes at most", async () => {
    const long = names(20, 1_000);
    expect(await met(rowOf(long), deletion)).toEqual(long.slice(0, 4));
  });

  test("leave no name out that it has itself, however many", async () => {
    const own = Object.fromEntries(names(300).map((name) => [name, 1]));
    expect(await met(rowOf(names(15_000)), creation(own))).toEqual(names(400));
  });
});
