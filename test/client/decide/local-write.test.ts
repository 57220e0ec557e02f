/** Local writes: they are checked, and are in the view and in the outbox at once. */
import fc from "fast-check";
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { decideLocalWrite, type LocalChange, viewWith } from "../../../src/client/decide/local-write.ts";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { collections } from "../../support/shop.ts";
import {
  applied,
  create,
  DecisionTill,
  increment,
  NOW,
  rejected,
  remove,
  sale,
  tea,
  update,
} from "../support/decision-till.ts";

const till = () => {
  const one = new DecisionTill({
    ...collections,
    tanks: defineCollection({
      schema: z.object({ litres: z.string().default("0"), level: z.number().default(0), label: z.string() }),
      counters: ["litres", "level"],
    }),
  });
  one.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 7, note: "n" } });
  return one;
};

/** The error of a write. Also checks that nothing of the write was stored. */
function refused(one: DecisionTill, changes: readonly LocalChange[]) {
  const before = { operations: one.operations.size, queue: one.queue, rows: [...one.rows] };
  try {
    one.write(changes);
  } catch (error) {
    expect({ operations: one.operations.size, queue: one.queue, rows: [...one.rows] }).toEqual(before);
    if (isTillSyncError(error)) return error;
    throw error;
  }
  throw new Error("it was written");
}
const issue = (error: ReturnType<typeof refused>) =>
  isTillSyncError(error, "validation_failed") ? error.details.issues.map((i) => [i.path, i.message]) : error.code;

describe("a create", () => {
  test("shows at once", () => {
    const one = till();
    one.write([create("products", "p-2", { ...tea, stock: 0 })]);
    expect(one.view("products", "p-2")).toEqual({ ...tea, stock: 0 });
  });

  test("can't set a counter on the wire: what it starts with is an increment of its own [H4]", () => {
    const one = till();
    const operations = one.write([create("products", "p-2", { ...tea, stock: 5 })]);
    expect(operations.map(({ action, data, by }) => ({ action, data, by }))).toEqual([
      { action: "create", data: tea, by: undefined },
      { action: "increment", data: undefined, by: { stock: 5 } },
    ]);
  });

  test("shows with the counters it was given", () => {
    const one = till();
    one.write([create("products", "p-2", { ...tea, stock: 5 })]);
    expect(one.view("products", "p-2")).toEqual({ ...tea, stock: 5 });
  });

  test("needs no increment for a counter at zero", () => {
    expect(till().write([create("products", "p-2", { ...tea, stock: 0 })])).toHaveLength(1);
  });

  test("shows a decimal counter at zero in its own form", () => {
    const one = till();
    one.write([create("tanks", "k-1", { label: "A", litres: "0" })]);
    expect(one.view("tanks", "k-1")).toEqual({ label: "A", litres: "0" });
  });

  test("of a decimal counter starts with a decimal step", () => {
    const [, step] = till().write([create("tanks", "k-1", { label: "A", litres: "12.5" })]);
    expect(step?.by).toEqual({ litres: "12.5" });
  });

  for (const counters of [{ level: 1.5 }, { litres: "1".repeat(16) }, { litres: "12,5" }])
    test(`is refused with a counter that can't be counted with: ${JSON.stringify(counters)}`, () => {
      expect(issue(refused(till(), [create("tanks", "k-1", { label: "A", ...counters })]))).toEqual([
        [Object.keys(counters), "a counter starts from a safe integer, or from a decimal string"],
      ]);
    });

  test("of an id that could never be sent is refused, and so are steps of its counters [M1]", () => {
    const changes = [create("products", "a/b", tea), increment("products", "a/b", { stock: 1 })];
    const refusals = changes.map((change) => issue(refused(till(), [change])));
    expect(refusals.map((found) => Array.isArray(found) && found[0]?.[0])).toEqual([["id"], ["id"]]);
  });

  test("of an id that is there is refused", () => {
    const error = refused(till(), [create("products", "p-1", tea)]);
    expect([error.code, error.details]).toEqual(["already_exists", { collection: "products", id: "p-1" }]);
  });

  test("of an id that an earlier change of the same transaction made is refused", () => {
    expect(refused(till(), [sale("s-1"), sale("s-1")]).code).toBe("already_exists");
  });

  test("of an id that was deleted here takes over its counters", () => {
    const one = till();
    one.write([remove("products", "p-1")]);
    one.write([create("products", "p-1", tea)]);
    expect(one.view("products", "p-1")).toEqual({ ...tea, stock: 7 });
  });
});

describe("an update", () => {
  test("carries the fields it names, and nothing that others may have changed", () => {
    const operation = till().one(update("products", "p-1", { name: "A" }));
    expect([operation.patch, operation.unset]).toEqual([{ name: "A" }, []]);
  });

  test("remembers what the fields were before, for people and resolvers", () => {
    const operation = till().one(update("products", "p-1", { name: "A", note: undefined }));
    expect(operation.before).toEqual({ name: "Tea", note: "n" });
  });

  test("carries what the schema puts out: trimmed here", () => {
    expect(till().one(update("products", "p-1", { name: "  A  " })).patch).toEqual({ name: "A" });
  });

  test("of undefined removes the field", () => {
    const one = till();
    const operation = one.one(update("products", "p-1", { note: undefined }));
    expect([operation.patch, operation.unset]).toEqual([{}, ["note"]]);
    expect(one.view("products", "p-1")).not.toHaveProperty("note");
  });

  test("of undefined sets the schema's default where there is one", () => {
    expect(till().one(update("products", "p-1", { category: undefined })).patch).toEqual({ category: "none" });
  });

  test("of undefined removes a field that is null", () => {
    const people = defineCollection({
      schema: z.object({ name: z.string(), phone: z.string().nullable().optional() }),
    });
    const one = new DecisionTill({ people });
    one.pull("people", { id: "c-1", version: 10, data: { name: "Ann", phone: null } });
    const operation = one.one(update("people", "c-1", { phone: undefined }));
    expect([operation.patch, operation.unset, operation.before]).toEqual([{}, ["phone"], { phone: null }]);
    expect(one.view("people", "c-1")).toEqual({ name: "Ann" });
  });

  test("of null sets null", () => {
    const one = till();
    one.write([create("customers", "c-1", { name: "Ann", phone: "1", points: 0 })]);
    expect(one.one(update("customers", "c-1", { phone: null })).patch).toEqual({ phone: null });
  });

  test("that changes nothing makes no operation", () => {
    const one = till();
    expect(one.write([update("products", "p-1", { name: "Tea", barcodes: ["600"] })])).toEqual([]);
  });

  test("that removes a field which the record does not have makes no operation", () => {
    const one = till();
    one.pull("products", { id: "p-2", version: 11, data: { ...tea, stock: 0 } });
    expect(one.write([update("products", "p-2", { note: undefined })])).toEqual([]);
    expect(one.one(update("products", "p-2", { note: undefined, name: "A" })).unset).toEqual([]);
  });

  test("whose difference the schema takes away makes no operation", () => {
    expect(till().write([update("products", "p-1", { name: " Tea " })])).toEqual([]);
  });

  test("that changes nothing leaves row and queue untouched", () => {
    const one = till();
    const before = [one.row("products", "p-1"), one.queue];
    one.write([update("products", "p-1", { name: "Tea" })]);
    expect([one.row("products", "p-1"), one.queue]).toEqual(before);
  });

  test("is judged as the record it makes", () => {
    const error = refused(till(), [update("products", "p-1", { priceCents: -1 })]);
    expect(isTillSyncError(error, "validation_failed") && error.details.issues[0]?.path).toEqual(["priceCents"]);
  });

  test("of a counter is refused", () => {
    expect(issue(refused(till(), [update("products", "p-1", { stock: 5 })]))).toEqual([
      [["stock"], "a counter changes by increment only"],
    ]);
  });

  test("of the id is refused", () => {
    expect(issue(refused(till(), [update("products", "p-1", { id: "p-2" })]))).toEqual([
      [["id"], "an id never changes"],
    ]);
  });

  test("of what only the server fills in is refused", () => {
    const one = new DecisionTill({
      orders: defineCollection({
        schema: z.object({ n: z.int(), orderNumber: z.string().optional() }),
        assigned: ["orderNumber"],
      }),
    });
    one.write([create("orders", "o-1", { n: 1 })]);
    expect(issue(refused(one, [update("orders", "o-1", { orderNumber: "9" })]))).toEqual([
      [["orderNumber"], "only the server fills this in"],
    ]);
  });

  test("with what is not JSON is refused, with its place", () => {
    const error = refused(till(), [update("products", "p-1", { note: { at: new Date(0) } })]);
    expect([error.code, error.details]).toEqual(["not_json", { collection: "products", path: "note.at" }]);
  });

  test("of a row that is not there is refused", () => {
    const error = refused(till(), [update("products", "p-9", { name: "A" })]);
    expect([error.code, error.details]).toEqual(["not_found", { collection: "products", id: "p-9" }]);
  });

  test("of a row that was deleted here is refused", () => {
    const one = till();
    one.write([remove("products", "p-1")]);
    expect(refused(one, [update("products", "p-1", { name: "A" })]).code).toBe("not_found");
  });

  test("sees what came before it in its transaction", () => {
    const one = till();
    one.write([update("products", "p-1", { name: "A" }), update("products", "p-1", { category: "B" })]);
    expect(one.view("products", "p-1")).toMatchObject({ name: "A", category: "B" });
  });

  test("is made over a base that the schema no longer accepts, if it mends it", () => {
    const one = till();
    one.pull("products", { id: "p-2", version: 11, data: { ...tea, priceCents: -5, stock: 0 } });
    expect(one.one(update("products", "p-2", { priceCents: 1 })).patch).toEqual({ priceCents: 1 });
  });
});

describe("an increment", () => {
  test("shows at once", () => {
    const one = till();
    one.write([increment("products", "p-1", { stock: -2 })]);
    expect(one.view("products", "p-1")).toMatchObject({ stock: 5 });
  });

  test("leaves out counters whose step is undefined", () => {
    const one = till();
    expect(one.one(increment("products", "p-1", { stock: 1, points: undefined })).by).toEqual({ stock: 1 });
  });

  test("of a row that this till does not know is no error in a transaction", () => {
    const one = till();
    expect(one.one(increment("products", "p-9", { stock: -1 })).by).toEqual({ stock: -1 });
    expect(one.view("products", "p-9")).toBeUndefined();
  });

  test.each(["", "SKU 500/A", "чай", "x".repeat(65)])(
    "of the id %j, which could never be sent, is refused [M1]",
    (id) => {
      expect(issue(refused(till(), [increment("products", id, { stock: -1 })]))).toEqual([
        [["id"], "an id is 1 to 64 of A-Z, a-z, 0-9, _ and -"],
      ]);
    },
  );

  test("that was made before the row was known is in it when it comes", () => {
    const one = till();
    one.write([increment("products", "p-9", { stock: -1 })]);
    one.pull("products", { id: "p-9", version: 11, data: { ...tea, stock: 4 } });
    expect(one.view("products", "p-9")).toMatchObject({ stock: 3 });
  });

  test("whose caller wants the record back is refused where there is none", () => {
    const change: LocalChange = {
      action: "increment",
      collection: "products",
      entityId: "p-9",
      by: { stock: 1 },
      mustExist: true,
    };
    expect(refused(till(), [change]).code).toBe("not_found");
  });

  test("of what is no counter is refused", () => {
    expect(issue(refused(till(), [increment("products", "p-1", { priceCents: 5 })]))).toEqual([
      [["priceCents"], "`priceCents` is not a counter of `products`; declare it in `counters`"],
    ]);
  });

  const notSteps = {
    "a fraction": 1.5,
    "what is not a number": Number.NaN,
    "an unsafe integer": 2 ** 53,
    null: null,
    words: "two",
    "a number with an exponent": "1e3",
  };
  for (const [what, step] of Object.entries(notSteps))
    test(`by ${what} is refused`, () => {
      expect(issue(refused(till(), [increment("products", "p-1", { stock: step })]))).toEqual([
        [["stock"], "a counter changes by a safe integer, or by a decimal string"],
      ]);
    });

  test("of a counter that is at its end is taken: a till can't know the sum, and goes on selling", () => {
    const one = till();
    const largest = "9".repeat(40);
    one.pull("tanks", { id: "t-1", version: 20, data: { label: "A", litres: largest } });
    one.write([increment("tanks", "t-1", { litres: "1" })]);
    // What can't be counted is not shown, and what can be is.
    expect(one.view("tanks", "t-1")?.litres).toBe(largest);
    one.write([increment("tanks", "t-1", { litres: "-2" })]);
    expect(one.view("tanks", "t-1")?.litres).toBe(`${largest.slice(1)}8`);
  });

  test("of an integer that is at its end is taken, and is taken off again when the server leaves it out", () => {
    const one = till();
    const stock = Number.MAX_SAFE_INTEGER;
    one.pull("products", { id: "p-1", version: 20, data: { ...one.view("products", "p-1"), stock } as never });
    one.write([increment("products", "p-1", { stock: 5 })]);
    expect(one.view("products", "p-1")?.stock).toBe(stock);
    one.write([increment("products", "p-1", { stock: -7 })]);
    expect(one.view("products", "p-1")?.stock).toBe(stock - 2);
  });

  test("by a decimal string is refused where the counter is a number", () => {
    expect(refused(till(), [increment("products", "p-1", { stock: "1.5" })]).code).toBe("validation_failed");
  });

  test("that is larger than any step of its counter is refused, up or down", () => {
    for (const stock of [1_000_000_001, -1_000_000_001, Number.MAX_SAFE_INTEGER]) {
      const [[path, message]] = issue(refused(till(), [increment("products", "p-1", { stock })])) as [
        [unknown, string],
      ];
      expect(path).toEqual(["stock"]);
      expect(message).toContain("at most 1000000000");
    }
    const one = till();
    one.write([increment("products", "p-1", { stock: -1_000_000_000 })]);
    expect(one.view("products", "p-1")?.stock).toBeLessThan(-999_999_000);
  });

  test("of nothing is refused", () => {
    expect(issue(refused(till(), [increment("products", "p-1", {})]))).toEqual([
      [[], "an increment names at least one counter"],
    ]);
  });
});

describe("a delete", () => {
  test("hides the row at once", () => {
    const one = till();
    one.write([remove("products", "p-1")]);
    expect(one.view("products", "p-1")).toBeUndefined();
  });

  test("of a row that is not there makes no operation", () => {
    expect(till().write([remove("products", "p-9")])).toEqual([]);
  });

  test("twice makes one operation", () => {
    expect(till().write([remove("products", "p-1"), remove("products", "p-1")])).toHaveLength(1);
  });

  test("that the server refuses brings the row back", () => {
    const one = till();
    one.answer(rejected(one.one(remove("products", "p-1")), "not_permitted"));
    expect(one.view("products", "p-1")).toMatchObject({ name: "Tea" });
  });
});

describe("a transaction", () => {
  test("of which one change is refused leaves nothing of the others", () => {
    const all = [sale("s-1"), increment("products", "p-1", { stock: -1 }), update("products", "p-9", { name: "A" })];
    expect(refused(till(), all).code).toBe("not_found");
  });

  test("marks each of its rows as changed here, now", () => {
    const one = till();
    one.write([update("products", "p-1", { name: "A" }), sale("s-1")]);
    expect([one.row("products", "p-1")?.changedHereAt, one.row("sales", "s-1")?.changedHereAt]).toEqual([NOW, NOW]);
  });
});

describe("an import", () => {
  const imported = (one: DecisionTill, ids: readonly string[]) => {
    const workspace = one.open();
    const changes = ids.map((id) => create("products", id, { ...tea, stock: 2 }));
    const minted = decideLocalWrite(workspace, one.context({ transaction: "t-1" }), changes, { separate: true });
    one.commit(workspace);
    return minted;
  };

  test("binds none of its records to another", () => {
    expect(imported(till(), ["p-2", "p-3"]).map((o) => o.group)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("may be of any number of records", () => {
    const ids = Array.from({ length: 300 }, (_, n) => `p-1${n}`);
    expect(imported(till(), ids)).toHaveLength(600);
  });

  test("says since when it waits", () => {
    const one = till();
    imported(one, ["p-2"]);
    expect(one.queue.oldestAt).toBe(NOW);
  });
});

describe("since when the outbox has something", () => {
  test("is the moment of the first write into an empty one", () => {
    const one = till();
    one.write([sale("s-1")], { now: NOW });
    one.write([sale("s-2")], { now: NOW + 60_000 });
    expect(one.queue.oldestAt).toBe(NOW);
  });

  test("is not said by a write that queued nothing", () => {
    const one = till();
    one.write([update("products", "p-1", { name: "Tea" })]);
    expect(one.queue.oldestAt).toBeUndefined();
  });

  test("starts anew where nothing waited any more", () => {
    const one = till();
    const [first] = one.write([sale("s-1")], { now: NOW });
    if (first) one.answer(applied(first, 20));
    one.write([sale("s-2")], { now: NOW + 60_000 });
    expect(one.queue.oldestAt).toBe(NOW + 60_000);
  });
});

test("the view of changes that are not committed yet is the one that their commit makes, whatever waits on the record", async () => {
  const change: fc.Arbitrary<LocalChange> = fc.oneof(
    fc.integer({ min: 0, max: 9 }).map((stock) => create("products", "p-1", { ...tea, stock })),
    fc.constantFrom("A", "B").map((name) => update("products", "p-1", { name, note: undefined })),
    fc.integer({ min: 1, max: 9 }).map((stock) => increment("products", "p-1", { stock })),
    fc.constant(remove("products", "p-1")),
  );
  const changes = fc.array(change, { maxLength: 5 });
  await fc.assert(
    fc.property(changes, changes, fc.boolean(), (before, now, isKnown) => {
      const one = isKnown ? till() : new DecisionTill();
      const isWritten = (some: readonly LocalChange[]) => {
        try {
          return one.write(some).length >= 0;
        } catch {
          return false; // there is no row to update, or there already is one
        }
      };
      for (const single of before) isWritten([single]);
      const definition = one.open().definition("products");
      const expected = viewWith(definition, one.row("products", "p-1"), now);
      if (isWritten(now)) expect(one.view("products", "p-1")).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
