/** The operation that one local change becomes: its base, its lane, its transaction on the wire, its size. */
import { lastWriteWins } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { collections } from "../../support/shop.ts";
import {
  applied,
  conflict,
  create,
  DecisionTill,
  increment,
  NOW,
  rejected,
  remove,
  sale,
  stockedTill,
  tea,
  update,
} from "../support/decision-till.ts";

const till = () => stockedTill();

describe("an operation", () => {
  test("says who made it, when, where, and of which version its data is", () => {
    const operation = till().one(update("products", "p-1", { name: "A" }));
    expect(operation).toMatchObject({
      actor: "u-7",
      occurredAt: NOW,
      branch: "main",
      schemaVersion: 1,
      kind: "record",
      status: { state: "pending" },
      attempts: 0,
    });
  });

  test("has no actor and no branch where there is none", () => {
    const [operation] = till().write([sale("s-1")], { actor: undefined, branch: undefined });
    expect(operation).not.toHaveProperty("actor");
    expect(operation).not.toHaveProperty("branch");
  });

  test("has the next sequence number, without a gap", () => {
    const one = till();
    const sequences = [one.one(sale("s-1")), one.one(sale("s-2")), one.one(sale("s-3"))].map((o) => o.sequence);
    expect(sequences).toEqual([1, 2, 3]);
  });

  test("names what it references, each once", () => {
    const operation = till().one(
      sale("s-1", {
        customerId: "c-1",
        items: [
          { productId: "p-1", quantity: 1, priceCents: 1 },
          { productId: "p-1", quantity: 2, priceCents: 1 },
        ],
      }),
    );
    expect(operation.references).toEqual(["customers/c-1", "products/p-1"]);
  });

  test("names what an edit newly references, and nothing where nothing is", () => {
    const tables = defineCollection({
      schema: z.object({ customerId: z.string().optional(), seats: z.int() }),
      references: { customerId: "customers" },
    });
    const one = new DecisionTill({ ...collections, tables });
    one.pull("tables", { id: "d-1", version: 10, data: { seats: 4 } });
    expect(one.one(update("tables", "d-1", { customerId: "c-1" })).references).toEqual(["customers/c-1"]);
    for (const change of [
      update("tables", "d-1", { seats: 2 }),
      remove("tables", "d-1"),
      create("products", "p-2", tea),
    ])
      for (const operation of one.write([change])) expect(operation).not.toHaveProperty("references");
  });

  test("that was minted never changes again, whatever is answered to it", () => {
    const one = till();
    const operation = one.one(update("products", "p-1", { name: "A" }));
    one.answer(conflict(operation, ["name"], { version: 20, data: { ...tea, name: "B", stock: 7 } }));
    const { patch, unset, baseVersion, transaction, occurredAt, sequence } = one.stored(operation);
    expect({ patch, unset, baseVersion, transaction, occurredAt, sequence }).toEqual({
      patch: { name: "A" },
      unset: [],
      baseVersion: 10,
      transaction: operation.transaction,
      occurredAt: NOW,
      sequence: 1,
    });
  });
});

describe("the base version", () => {
  test("of an edit is the row's", () => {
    expect(till().one(update("products", "p-1", { name: "A" })).baseVersion).toBe(10);
  });

  test("of an edit of a row that only this till knows is 0", () => {
    const one = till();
    one.write([create("products", "p-2", tea)]);
    expect(one.one(update("products", "p-2", { name: "A" })).baseVersion).toBe(0);
  });

  test("of an edit beside pending edits is the earliest one's: its author has not seen what a pull put under them [C5]", () => {
    const one = till();
    one.one(update("products", "p-1", { name: "A" }));
    one.pull("products", { id: "p-1", version: 20, data: { ...tea, stock: 7 } });
    expect(one.one(update("products", "p-1", { name: "B" })).baseVersion).toBe(10);
  });

  test("of a delete beside pending edits is the earliest one's too", () => {
    const one = till();
    one.one(update("products", "p-1", { name: "A" }));
    one.pull("products", { id: "p-1", version: 20, data: { ...tea, stock: 7 } });
    expect(one.one(remove("products", "p-1")).baseVersion).toBe(10);
  });

  test("is the row's again when nothing is pending any more", () => {
    const one = till();
    one.answer(applied(one.one(update("products", "p-1", { name: "A" })), 20));
    expect(one.one(update("products", "p-1", { name: "B" })).baseVersion).toBe(20);
  });

  test("takes no account of pending increments, which commute", () => {
    const one = till();
    one.one(increment("products", "p-1", { stock: 1 }));
    one.pull("products", { id: "p-1", version: 20, data: { ...tea, stock: 7 } });
    expect(one.one(update("products", "p-1", { name: "A" })).baseVersion).toBe(20);
  });

  test("takes no account of a rejected edit, which is no part of what its author sees", () => {
    const one = till();
    one.answer(rejected(one.one(update("products", "p-1", { name: "A" })), "not_permitted"));
    one.pull("products", { id: "p-1", version: 20, data: { ...tea, stock: 7 } });
    expect(one.one(update("products", "p-1", { name: "B" })).baseVersion).toBe(20);
  });

  test("is not on creates, increments and facts", () => {
    const one = till();
    const all = one.write([create("products", "p-2", { ...tea, stock: 3 }), sale("s-1")]);
    expect(all.filter((o) => "baseVersion" in o)).toEqual([]);
  });
});

describe("where the last write wins [M4]", () => {
  const one = () => {
    const till = new DecisionTill({
      ...collections,
      notes: defineCollection({ schema: z.object({ text: z.string() }), conflict: lastWriteWins() }),
    });
    till.pull("notes", { id: "n-1", version: 5, data: { text: "a" } });
    return till;
  };
  test("edits and deletes are sent with force", () => {
    expect(one().one(update("notes", "n-1", { text: "b" })).force).toBe(true);
    expect(one().one(remove("notes", "n-1")).force).toBe(true);
  });
  test("a create is not", () => {
    expect(one().one(create("notes", "n-2", { text: "b" }))).not.toHaveProperty("force");
  });
  test("no other collection's edits are", () => {
    expect(till().one(update("products", "p-1", { name: "A" }))).not.toHaveProperty("force");
    expect(till().one(update("customers", "c-1", { phone: "2" }))).not.toHaveProperty("force");
  });
});

describe("the transaction on the wire [C1]", () => {
  const groups = (changes: Parameters<DecisionTill["write"]>[0]) => {
    const minted = till().write(changes, { transaction: "t-1" });
    return minted.map(({ collection, action, group }) => `${collection} ${action}: ${group ?? "alone"}`);
  };

  test("binds facts and increments", () => {
    expect(groups([sale("s-1"), increment("products", "p-1", { stock: -1 })])).toEqual([
      "sales create: t-1",
      "products increment: t-1",
    ]);
  });

  test("binds edits of a transaction without a fact", () => {
    expect(groups([update("products", "p-1", { name: "A" }), update("customers", "c-1", { phone: "2" })])).toEqual([
      "products update: t-1-e",
      "customers update: t-1-e",
    ]);
  });

  test("leaves edits that were made beside a fact to be judged alone: no conflict of theirs touches the sale", () => {
    expect(
      groups([
        sale("s-1"),
        increment("customers", "c-1", { points: 5 }),
        update("customers", "c-1", { phone: "2" }),
        update("products", "p-1", { name: "A" }),
      ]),
    ).toEqual(["sales create: t-1", "customers increment: t-1", "customers update: alone", "products update: alone"]);
  });

  test("is never commercial and editorial at once: increments without a fact stand beside bound edits", () => {
    expect(
      groups([
        increment("products", "p-1", { stock: 1 }),
        increment("customers", "c-1", { points: 1 }),
        update("products", "p-1", { name: "A" }),
        update("customers", "c-1", { phone: "2" }),
      ]),
    ).toEqual([
      "products increment: t-1",
      "customers increment: t-1",
      "products update: t-1-e",
      "customers update: t-1-e",
    ]);
  });

  test("is none for one edit, alone or beside an increment", () => {
    const edit = update("customers", "c-1", { phone: "2" });
    expect(groups([edit])).toEqual(["customers update: alone"]);
    expect(groups([edit, increment("products", "p-1", { stock: -1 })])).toEqual([
      "customers update: alone",
      "products increment: alone",
    ]);
  });

  test("is none where there is only one operation of its kind", () => {
    expect(groups([sale("s-1")])).toEqual(["sales create: alone"]);
    expect(groups([sale("s-1"), update("products", "p-1", { name: "A" })])).toEqual([
      "sales create: alone",
      "products update: alone",
    ]);
  });

  test("is the local one on every operation, bound or not, so that the desks can show what was done together", () => {
    const minted = till().write([sale("s-1"), update("products", "p-1", { name: "A" })], { transaction: "t-1" });
    expect(minted.map((o) => o.transaction)).toEqual(["t-1", "t-1"]);
  });
});

describe("the lane [M5]", () => {
  const shop = {
    ...collections,
    logs: defineCollection({ schema: z.object({ text: z.string() }), priority: "low" }),
    visits: defineCollection({ kind: "fact", schema: z.object({ at: z.int() }), priority: "low" }),
  };
  const lanes = (changes: Parameters<DecisionTill["write"]>[0]) => {
    const one = new DecisionTill(shop);
    one.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 7 } });
    return one.write(changes).map(({ lane }) => lane);
  };

  test("is the collection's", () => {
    expect(lanes([sale("s-1")])).toEqual([0]);
    expect(lanes([update("products", "p-1", { name: "A" })])).toEqual([1]);
    expect(lanes([create("logs", "l-1", { text: "x" })])).toEqual([2]);
  });

  test("of a commercial transaction is its highest member's", () => {
    expect(
      lanes([create("visits", "v-1", { at: 1 }), increment("products", "p-1", { stock: -1 }), sale("s-1")]),
    ).toEqual([0, 0, 0]);
  });

  test("of an editorial transaction is its highest member's", () => {
    expect(lanes([create("logs", "l-1", { text: "x" }), update("products", "p-1", { name: "A" })])).toEqual([1, 1]);
  });

  test("of an edit beside a fact is its own", () => {
    expect(lanes([sale("s-1"), create("logs", "l-1", { text: "x" })])).toEqual([0, 2]);
  });
});

describe("what could never be sent is never stored [M1]", () => {
  const refusal = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      if (isTillSyncError(error, "transaction_too_large")) return error.details;
      throw error;
    }
    throw new Error("it was stored");
  };

  test("an operation that could grow beyond 256 KiB: room is kept for what sending and superseding add", () => {
    const one = till();
    const details = refusal(() => one.write([update("products", "p-1", { note: "x".repeat(240 * 1024) })]));
    expect(details).toMatchObject({ operations: 1, maxOperations: 1, maxBytes: 232 * 1024 });
  });

  test("to the byte, for what is stored for ever", () => {
    const one = new DecisionTill({ logs: defineCollection({ schema: z.object({ text: z.string() }) }) });
    const room = 232 * 1024 - JSON.stringify({ action: "create", data: { text: "" } }).length;
    expect(one.one(create("logs", "l-1", { text: "x".repeat(room) })).status.state).toBe("pending");
    const details = refusal(() => one.one(create("logs", "l-2", { text: "x".repeat(room + 1) })));
    expect(details).toMatchObject({ bytes: 232 * 1024 + 1 });
  });

  test("counted in bytes, not in characters", () => {
    const one = till();
    expect(refusal(() => one.write([update("products", "p-1", { note: "€".repeat(90 * 1024) })])).operations).toBe(1);
  });

  test("a transaction of more than 250 operations", () => {
    const one = till();
    const details = refusal(() => one.write(Array.from({ length: 251 }, (_, n) => sale(`s-${n}`))));
    expect(details).toMatchObject({ operations: 251, maxOperations: 250 });
  });

  test("a transaction of more than 512 KiB", () => {
    const one = till();
    const note = "x".repeat(200 * 1024);
    const details = refusal(() =>
      one.write(["p-2", "p-3", "p-4"].map((id) => create("products", id, { ...tea, note }))),
    );
    expect(details).toMatchObject({ operations: 3, maxBytes: 512 * 1024 });
  });

  test("and nothing of it is kept", () => {
    const one = till();
    refusal(() => one.write(Array.from({ length: 251 }, (_, n) => sale(`s-${n}`))));
    expect([one.operations.size, one.queue.sequence]).toEqual([0, 0]);
  });

  test("but a transaction of 250 operations is", () => {
    const one = till();
    expect(one.write(Array.from({ length: 250 }, (_, n) => sale(`s-${n}`)))).toHaveLength(250);
  });
});
