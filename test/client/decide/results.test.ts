/** How the server's results change operations and rows. */
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { isWaiting } from "../../../src/client/state/operation.ts";
import type { OperationResult } from "../../../src/protocol/types.ts";
import type { UpcastFunction } from "../../../src/schema/types.ts";
import { products } from "../../support/shop.ts";
import {
  applied,
  blocked,
  conflict,
  create,
  DecisionTill,
  increment,
  NOW,
  quarantined,
  rejected,
  remove,
  retry,
  sale,
  stockedTill,
  tea,
  update,
} from "../support/decision-till.ts";

const row = { ...tea, stock: 7 };
const till = () => stockedTill();

describe("applied", () => {
  test("without the row, makes the edit the base: its version before was the one the edit was made on [C4]", () => {
    const one = till();
    one.answer(applied(one.one(update("products", "p-1", { name: "A" })), 20));
    expect(one.row("products", "p-1")).toMatchObject({ version: 20, data: { ...row, name: "A" } });
  });

  test("without the row, leaves a base that is older than the edit to the pull: an earlier result has put it back after a restore", () => {
    const one = till();
    const first = one.one(update("products", "p-1", { category: "hot" }));
    const asItWas = applied(first, 20, { data: { ...row, category: "hot" } });
    one.answer(asItWas);
    one.pull("products", { id: "p-1", version: 30, data: { ...row, category: "hot", stock: 6 } });
    const second = one.one(update("products", "p-1", { name: "A" }));
    one.follow("e2");
    one.answer({ ...asItWas, replayed: true });
    one.answer(applied(second, 40));
    one.pull("products", { id: "p-1", version: 40, data: { ...row, category: "hot", name: "A", stock: 6 } });
    expect(one.view("products", "p-1")).toEqual({ ...row, category: "hot", name: "A", stock: 6 });
  });

  test("without the row, deletes nothing if the app can't read the row that the edit was made on [H7]", () => {
    const notes = (step: UpcastFunction) => ({
      notes: defineCollection({ schema: z.object({ text: z.string() }), schemaVersion: 2, upcast: { 1: step } }),
    });
    const before = new DecisionTill(notes((data) => data));
    const stored = { id: "n-1", version: 10, data: { text: "a" }, schemaVersion: 1 };
    before.pull("notes", stored);
    const edit = before.one(update("notes", "n-1", { text: "b" }));
    const one = before.updated(
      notes(() => {
        throw new Error("no");
      }),
    );
    one.resync("notes");
    one.pull("notes", stored);
    one.answer(applied(edit, 20));
    expect(one.row("notes", "n-1")).toMatchObject({ version: 10, base: { text: "a" } });
    one.pull("notes", { id: "n-1", version: 20, data: { text: "b" }, schemaVersion: 2 });
    expect(one.view("notes", "n-1")).toEqual({ text: "b" });
  });

  test("with the row, makes that the base", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(applied(edit, 20, { data: { ...row, name: "A", category: "hot" } }));
    expect(one.view("products", "p-1")).toEqual({ ...row, name: "A", category: "hot" });
  });

  test("brings what only the server fills in, and the operation keeps it for a server that has lost it", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(applied(operation, 20, { assigned: { orderNumber: "9" } }));
    expect(one.view("sales", "s-1")).toMatchObject({ orderNumber: "9" });
    expect(one.flat(operation)).toMatchObject({ assigned: { orderNumber: "9" } });
  });

  test("keeps in which schema the server has filled it in, and no schema where it has filled in nothing [H7]", () => {
    const one = till();
    const [filled, plain] = [one.one(sale("s-1")), one.one(sale("s-2"))];
    one.answer(
      applied(filled, 20, { assigned: { orderNumber: "9" }, schemaVersion: 2 }),
      applied(plain, 21, { schemaVersion: 2 }),
    );
    expect(one.flat(filled).assignedVersion).toBe(2);
    expect(one.flat(plain)).not.toHaveProperty("assignedVersion");
  });

  test("brings the receipt that belongs to it; a revised one brings another, and a refusal none [C8.5]", () => {
    const one = till();
    const [sold, aside] = [one.one(sale("s-1")), one.one(sale("s-2"))];
    one.answer(applied(sold, 20, { receipt: "r1" }), quarantined(aside));
    // The same result again is no news, whatever came with it.
    one.answer(applied(sold, 20, { receipt: "r9", replayed: true }));
    expect(one.flat(sold).receipt).toBe("r1");
    expect(one.flat(aside)).not.toHaveProperty("receipt");
    one.answer(applied(aside, 21, { receipt: "r2", revision: 1 }));
    expect(one.flat(aside)).toMatchObject({ version: 21, receipt: "r2", epoch: "e1" });
  });

  test("again, after a restore, is an answer of this history: nothing of the lost one stays [C8.5]", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(applied(operation, 20));
    one.follow("e2");
    one.answer(applied(operation, 30));
    expect(one.flat(operation)).toMatchObject({ version: 30, epoch: "e2" });
    expect(one.stored(operation)).not.toHaveProperty("acknowledged");
    expect(one.stored(operation)).not.toHaveProperty("missingSince");
  });

  test("in a collection that this app does not have, settles the operation, and is no news to the app", () => {
    const before = till();
    const operation = before.one(sale("s-1"));
    const one = before.updated({ products });
    const told = one.answer(applied(operation, 20, { data: { totalCents: 5_000 } }));
    expect([one.state(operation), told]).toEqual(["applied", []]);
    expect(one.row("sales", "s-1")).toEqual(before.row("sales", "s-1"));
  });

  test("of a create makes the row the base, its counters at zero", () => {
    const one = till();
    const [made] = one.write([create("products", "p-2", { ...tea, stock: 5 })]);
    if (made) one.answer(applied(made, 20));
    expect(one.row("products", "p-2")).toMatchObject({
      version: 20,
      base: { ...tea, stock: 0 },
      data: { ...tea, stock: 5 },
    });
  });

  test("of a delete leaves a row that an older answer can't bring back", () => {
    const one = till();
    one.answer(applied(one.one(remove("products", "p-1")), 20, { deleted: true }));
    one.pull("products", { id: "p-1", version: 19, data: row });
    expect(one.row("products", "p-1")).toMatchObject({ version: 20 });
    expect(one.view("products", "p-1")).toBeUndefined();
  });

  test("of an increment takes the row that came with it, so that it is not counted twice", () => {
    const one = till();
    const step = one.one(increment("products", "p-1", { stock: -2 }));
    one.answer(applied(step, 20, { data: { ...row, stock: 5 } }));
    expect(one.view("products", "p-1")).toMatchObject({ stock: 5 });
  });

  test("of an increment whose row is ahead of the results leaves the row as it was, with the step in it [C6]", () => {
    const one = till();
    const [earlier, step] = [-1, -2].map((stock) => one.one(increment("products", "p-1", { stock })));
    if (earlier === undefined || step === undefined) throw new Error("not made");
    // The row has both steps in it. The result of the earlier one did not fit into the answer.
    one.receive([applied(step, 20, { data: { ...row, stock: 4 } })], {}, true);
    expect(one.view("products", "p-1")).toMatchObject({ stock: 4 });
    expect(one.row("products", "p-1")).toMatchObject({ version: 10 });
    one.answer(applied(earlier, 19));
    one.pull("products", { id: "p-1", version: 20, data: { ...row, stock: 4 } });
    expect(one.view("products", "p-1")).toMatchObject({ stock: 4 });
    expect(one.row("products", "p-1")).toMatchObject({ version: 20 });
  });

  test("of a step takes no row that lacks a later step, which is in the base without its row [C6]", () => {
    const one = till();
    const [earlier, later] = [-1, -2].map((stock) => one.one(increment("products", "p-1", { stock })));
    if (earlier === undefined || later === undefined) throw new Error("not made");
    one.receive([applied(later, 20, { data: { ...row, stock: 4 } })], {}, true);
    one.answer(applied(earlier, 19, { data: { ...row, stock: 6 } }));
    expect(one.view("products", "p-1")).toMatchObject({ stock: 4 });
    one.pull("products", { id: "p-1", version: 20, data: { ...row, stock: 3 } });
    expect(one.view("products", "p-1")).toMatchObject({ stock: 3 });
    const last = one.one(increment("products", "p-1", { stock: -1 }));
    one.answer(applied(last, 21, { data: { ...row, stock: 2 } }));
    expect(one.row("products", "p-1")).toMatchObject({ version: 21 });
  });

  test("of a create whose row is ahead of the results gives way to that row when it comes again [C6]", () => {
    const one = till();
    const made = one.one(create("products", "p-2", tea));
    const shown = one.view("products", "p-2");
    one.receive([applied(made, 20, { data: { ...tea, stock: 5 } })], {}, true);
    expect(one.view("products", "p-2")).toEqual(shown);
    one.pull("products", { id: "p-2", version: 20, data: { ...tea, stock: 5 } });
    expect(one.view("products", "p-2")).toMatchObject({ stock: 5 });
  });

  test("that refuses an edit leaves the row as it was, if it is ahead of the results [C6]", () => {
    const one = till();
    const step = one.one(increment("products", "p-1", { stock: -1 }));
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.receive([rejected(edit, "not_permitted", { server: { version: 20, data: { ...row, stock: 6 } } })], {}, true);
    expect(one.view("products", "p-1")).toEqual({ ...row, stock: 6 });
    one.answer(applied(step, 20, { data: { ...row, stock: 6 } }));
    expect(one.view("products", "p-1")).toEqual({ ...row, stock: 6 });
  });

  test("replays what is still open over it, in order", () => {
    const one = till();
    const first = one.one(update("products", "p-1", { name: "A" }));
    one.write([update("products", "p-1", { category: "hot" }), increment("products", "p-1", { stock: 1 })]);
    one.answer(applied(first, 20));
    expect(one.view("products", "p-1")).toEqual({ ...row, name: "A", category: "hot", stock: 8 });
  });

  test("of the later of two edits before the earlier one keeps both in the view", () => {
    const one = till();
    const first = one.one(update("products", "p-1", { name: "A" }));
    const second = one.one(update("products", "p-1", { category: "hot" }));
    one.answer(applied(second, 21, { data: { ...row, category: "hot" } }));
    expect(one.view("products", "p-1")).toEqual({ ...row, name: "A", category: "hot" });
    one.answer(applied(first, 22, { data: { ...row, name: "A", category: "hot" } }));
    expect(one.view("products", "p-1")).toEqual({ ...row, name: "A", category: "hot" });
  });

  test("leaves its flags on the operation and on the row", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    const flags = [{ code: "stock_discrepancy", discrepancyId: "d-1" }];
    one.answer(applied(operation, 20, { flags }));
    expect([one.flat(operation).flags, one.row("sales", "s-1")?.flags]).toEqual([flags, flags]);
  });

  test("without flags leaves those that an earlier result has put on the row", () => {
    const one = till();
    const flags = [{ code: "stock_discrepancy", discrepancyId: "d-1" }];
    one.answer(
      applied(one.one(increment("products", "p-1", { stock: -9 })), 20, { data: { ...row, stock: -2 }, flags }),
    );
    one.answer(applied(one.one(update("products", "p-1", { name: "A" })), 21));
    one.answer(applied(one.one(update("products", "p-1", { name: "B" })), 22, { flags: [] }));
    expect(one.row("products", "p-1")).toMatchObject({ version: 22, flags });
  });

  test("has the flags of this result, and not those that a lost history had given it", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(applied(operation, 20, { flags: [{ code: "stock_discrepancy" }] }));
    one.follow("e2");
    const told = one.answer(applied(operation, 20));
    expect([one.flat(operation).flags, told.map(({ kind }) => kind)]).toEqual([undefined, ["applied"]]);
  });

  test("is told once", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    const told = [...one.answer(applied(operation, 20)), ...one.answer(applied(operation, 20, { replayed: true }))];
    expect(told.map(({ kind }) => kind)).toEqual(["applied"]);
  });

  test("keeps the epoch, the version and the moment in the journal", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(applied(operation, 20, { at: NOW + 5 }));
    expect(one.flat(operation)).toMatchObject({ state: "applied", epoch: "e1", version: 20, resultAt: NOW + 5 });
  });

  test("of a `void` touches no row", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(conflict(edit, ["name"], { version: 20, data: { ...row, name: "B" } }));
    const given = [...one.operations.values()].find((o) => o.action === "void");
    expect(given && one.answer(applied(given, 0))).toEqual([]);
    expect(one.row("products", "p-1")).toMatchObject({ version: 20, data: { ...row, name: "B" } });
  });
});

describe("a row in a schema that the app can't read [H7]", () => {
  const notes = (schemaVersion: number) => ({
    notes: defineCollection({
      schema: z.object({ text: z.string() }),
      ...(schemaVersion === 2 && { schemaVersion, upcast: { 1: ({ words }) => ({ text: `${words}!` }) } }),
    }),
  });
  const old = () => new DecisionTill({ notes: defineCollection({ schema: z.object({ words: z.string() }) }) });
  const newer = { version: 20, data: { text: "theirs" }, schemaVersion: 2 };
  const withNote = () => {
    const one = old();
    one.pull("notes", { id: "n-1", version: 10, data: { words: "a" } });
    return one;
  };

  test("leaves the edit that it comes with in the view, over the row as it was", () => {
    const one = withNote();
    one.answer(applied(one.one(update("notes", "n-1", { words: "b" })), 20, newer));
    expect(one.row("notes", "n-1")).toMatchObject({ version: 10, data: { words: "b" } });
  });

  test("is taken by the updated app, though the create that it came with has its version here", () => {
    const before = old();
    before.answer(applied(before.one(create("notes", "n-1", { words: "mine" })), 20, newer));
    expect(before.view("notes", "n-1")).toEqual({ words: "mine" });
    const one = before.updated(notes(2));
    one.pull("notes", { id: "n-1", ...newer });
    expect(one.view("notes", "n-1")).toEqual(newer.data);
    expect(one.row("notes", "n-1")).not.toHaveProperty("guessed");
  });

  test("is not taken from a refusal: the row shows as it was before the edit", () => {
    const one = withNote();
    one.answer(rejected(one.one(update("notes", "n-1", { words: "b" })), "not_permitted", { server: newer }));
    expect(one.row("notes", "n-1")).toMatchObject({ version: 10, data: { words: "a" } });
  });

  test("but that it was deleted is understood in any schema", () => {
    const one = withNote();
    const server = { version: 20, deleted: true, schemaVersion: 2 } as const;
    one.answer(rejected(one.one(update("notes", "n-1", { words: "b" })), "entity_deleted", { server }));
    expect([one.row("notes", "n-1")?.version, one.view("notes", "n-1")]).toEqual([20, undefined]);
  });

  test("is raised from the server's schema, where that is the older one", () => {
    const one = withNote().updated(notes(2));
    const edit = one.one(update("notes", "n-1", { text: "b" }));
    const server = { version: 20, data: { words: "theirs" }, schemaVersion: 1 };
    one.answer(rejected(edit, "not_permitted", { server }));
    expect(one.view("notes", "n-1")).toEqual({ text: "theirs!" });
  });
});

describe("rejected", () => {
  test("is told", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    const told = one.answer(rejected(edit, "not_permitted"));
    expect(told).toEqual([{ kind: "rejected", operation: one.stored(edit) }]);
  });

  test("takes the edit out of the view", () => {
    const one = till();
    one.answer(rejected(one.one(update("products", "p-1", { name: "A" })), "not_permitted"));
    expect(one.view("products", "p-1")).toEqual(row);
  });

  test("keeps the operation with its verdict", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(rejected(edit, "not_permitted"));
    expect(one.flat(edit)).toMatchObject({
      state: "rejected",
      patch: { name: "A" },
      error: { code: "not_permitted", message: "not_permitted" },
    });
  });

  test("takes the server's row along, where it came", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(rejected(edit, "not_permitted", { server: { version: 20, data: { ...row, category: "hot" } } }));
    expect(one.row("products", "p-1")).toMatchObject({ version: 20, data: { ...row, category: "hot" } });
  });

  test("of one edit leaves the later ones in the view", () => {
    const one = till();
    const first = one.one(update("products", "p-1", { name: "A" }));
    one.write([update("products", "p-1", { category: "hot" })]);
    one.answer(rejected(first, "not_permitted"));
    expect(one.view("products", "p-1")).toEqual({ ...row, category: "hot" });
  });

  test("of a create takes the row out of the view", () => {
    const one = till();
    one.answer(rejected(one.one(create("products", "p-2", tea)), "not_permitted"));
    expect(one.view("products", "p-2")).toBeUndefined();
  });
});

describe("quarantined", () => {
  test("is told", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    const told = one.answer(quarantined(operation));
    expect(told).toEqual([{ kind: "quarantined", operation: one.stored(operation) }]);
  });

  test("leaves a fact in the view: its receipt is printed (L11)", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(quarantined(operation));
    expect(one.state(operation)).toBe("quarantined");
    expect(one.view("sales", "s-1")).toMatchObject({ totalCents: 5_000 });
  });

  test("and released later, becomes applied", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(quarantined(operation));
    one.answer(applied(operation, 30, { revision: 1, assigned: { orderNumber: "9" } }));
    expect(one.state(operation)).toBe("applied");
    expect(one.view("sales", "s-1")).toMatchObject({ orderNumber: "9" });
  });

  test("and discarded at the office, needs nobody's attention any more, and stays in the view", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(quarantined(operation));
    one.answer(quarantined(operation, "discarded", { revision: 1 }));
    expect(one.queue.quarantined).toBe(0);
    expect(one.view("sales", "s-1")).toMatchObject({ totalCents: 5_000 });
  });

  test("takes an increment out of the sum: the server has not counted it", () => {
    const one = till();
    one.answer(quarantined(one.one(increment("products", "p-1", { stock: -2 }))));
    expect(one.view("products", "p-1")).toEqual(row);
  });
});

describe("blocked and retry", () => {
  for (const [name, result] of Object.entries({ blocked, retry: (o: { id: string }) => retry(o) }))
    test(`${name}: the operation waits, and stays in the view`, () => {
      const one = till();
      const edit = one.one(update("products", "p-1", { name: "A" }));
      one.answer(result(edit));
      expect(one.state(edit)).toBe("blocked");
      expect(one.view("products", "p-1")).toMatchObject({ name: "A" });
    });

  test("say what it waits for", () => {
    const one = till();
    const first = one.one(update("products", "p-1", { name: "A" }));
    const second = one.one(update("products", "p-1", { name: "B" }));
    one.answer(blocked(second, first));
    expect(one.flat(second).blockedBy).toEqual([first.id]);
  });

  test("say why it should be tried again", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(retry(edit));
    expect(one.flat(edit)).toMatchObject({ blockedBy: [], error: { code: "schema_newer" } });
  });

  test("forget why, when the next answer is another", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(retry(edit));
    one.answer(blocked(edit, { id: "elsewhere" }));
    expect(one.flat(edit)).not.toHaveProperty("error");
  });

  test("say that the server does not have the record, where that is why", () => {
    const one = till();
    const [edit, other] = [one.one(update("products", "p-1", { name: "A" })), one.one(sale("s-1"))];
    one.answer({ id: edit.id, status: "blocked", by: [], missing: true }, blocked(other));
    expect(one.flat(edit).missing).toBe(true);
    expect(one.flat(other)).not.toHaveProperty("missing");
  });

  test("leave what a restored server has lost in front of what is new [C8.6]", () => {
    const one = till();
    const [lost, other] = [one.one(sale("s-1")), one.one(sale("s-2"))];
    one.answer(applied(lost, 20));
    one.follow("e2");
    one.answer(blocked(lost), blocked(other));
    expect(one.flat(lost).resend).toBe(true);
    expect(one.flat(other)).not.toHaveProperty("resend");
  });

  test("are attempts, each of them; an answer that comes once more is none", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    const attempts = [blocked(edit), retry(edit), applied(edit, 20)].map((result) => {
      one.answer(result);
      return one.stored(edit).attempts;
    });
    expect(attempts).toEqual([1, 2, 3]);
    const operation = one.one(sale("s-1"));
    one.answer(applied(operation, 21, { replayed: true }));
    expect(one.stored(operation).attempts).toBe(0);
  });

  test("are no news of what is settled", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(applied(operation, 20));
    one.answer(blocked(operation));
    expect(one.state(operation)).toBe("applied");
  });
});

describe("what is blocked is sent again", () => {
  const awake = (one: DecisionTill, operation: { readonly id: string }) =>
    (one.flat(operation).blockedInRound ?? 0) < one.queue.unblockRound;

  test("not before something final has come", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(blocked(edit));
    expect(awake(one, edit)).toBe(false);
  });

  test("after any final result", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    const other = one.one(sale("s-1"));
    one.answer(blocked(edit));
    one.answer(rejected(other, "operation_id_reused"));
    expect(awake(one, edit)).toBe(true);
  });

  for (const order of ["before", "after"] as const)
    test(`also where what wakes it stands ${order} it in the same answer: no wake-up is lost [H2]`, () => {
      const one = till();
      const edit = one.one(update("products", "p-1", { name: "A" }));
      const other = one.one(sale("s-1"));
      const both = [applied(other, 20), blocked(edit, other)];
      one.answer(...(order === "before" ? both : both.reverse()));
      expect(awake(one, edit)).toBe(true);
    });

  test("not by a result that was known", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    const other = one.one(sale("s-1"));
    one.answer(applied(other, 20));
    one.answer(blocked(edit));
    one.answer(applied(other, 20, { replayed: true }));
    expect(awake(one, edit)).toBe(false);
  });
});

describe("an answer that comes late", () => {
  const known = {
    applied: (o: { id: string }) => applied(o, 20),
    rejected: (o: { id: string }) => rejected(o, "not_permitted"),
    quarantined: (o: { id: string }) => quarantined(o),
  } satisfies Record<string, (o: { id: string }) => OperationResult>;

  for (const [name, first] of Object.entries(known))
    for (const [late, second] of Object.entries(known))
      test(`as ${late}, changes nothing of what is ${name}`, () => {
        const one = till();
        const edit = one.one(update("products", "p-1", { name: "A" }));
        one.answer(first(edit));
        const before = one.stored(edit);
        one.answer(second(edit));
        expect(one.stored(edit)).toEqual(before);
      });

  test("of an operation that was superseded here changes nothing", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(conflict(edit, ["name"], { version: 20, data: { ...row, name: "B" } }));
    const before = one.stored(edit);
    one.answer(applied(edit, 21, { revision: 9 }));
    expect(one.stored(edit)).toEqual(before);
  });

  test("of an operation that this store does not know is passed over, and the others in it count", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(applied({ id: "of-a-clone" }, 20), applied(operation, 21));
    expect(one.state(operation)).toBe("applied");
  });

  test("with an older revision than is known changes nothing", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(quarantined(operation, "shift_closed", { revision: 2 }));
    one.answer(applied(operation, 20, { revision: 1 }));
    expect(one.state(operation)).toBe("quarantined");
  });
});

describe("an operation that another has replaced", () => {
  for (const code of ["superseded", "already_superseded"])
    test(`(${code}) is settled, out of the view, and nobody's concern here`, () => {
      const one = till();
      const edit = one.one(update("products", "p-1", { name: "A" }));
      const told = one.answer(rejected(edit, code, { by: "office", server: { version: 20, data: row } }));
      expect([one.state(edit), told, one.queue.rejected]).toEqual(["closed_elsewhere", [], 0]);
      expect(one.view("products", "p-1")).toEqual(row);
    });

  test("where what it should replace had been applied: that one stands, and this one is given up", () => {
    const one = till();
    const edit = one.one(update("customers", "c-1", { phone: "2" }));
    one.answer(conflict(edit, ["phone"], { version: 20, data: { name: "Ann", phone: "9", points: 0 } }));
    const workspace = one.open();
    workspace.put({
      ...one.stored(edit),
      status: { state: "superseded", supersededBy: "op-new", result: { at: NOW } },
    });
    workspace.put({ ...edit, id: "op-new", sequence: 50, supersedes: [edit.id] });
    one.commit(workspace);
    const server = { version: 21, data: { name: "Ann", phone: "2", points: 0 } };
    const at = NOW + 5;
    const told = one.answer(rejected({ id: "op-new" }, "already_applied", { by: edit.id, server, at }));
    expect([one.state(edit), one.state({ id: "op-new" })]).toEqual(["applied", "superseded"]);
    expect(one.flat(edit)).toMatchObject({ resultAt: at, epoch: "e1" });
    expect([told, one.flat({ id: "op-new" }).supersededBy]).toEqual([[], edit.id]);
    expect(one.view("customers", "c-1")).toEqual(server.data);
  });
});

describe("an operation that came too late to replace what had been applied", () => {
  const late = (one: DecisionTill, by: { readonly id: string } | undefined) => {
    const edit = one.one(update("products", "p-1", { category: "hot" }));
    one.answer(rejected(edit, "already_applied", by && { by: by.id }));
    return one.flat(edit);
  };

  test("leaves that one's result as it is, where it is known", () => {
    const one = till();
    const first = one.one(update("products", "p-1", { name: "A" }));
    one.answer(applied(first, 20));
    const before = one.stored(first);
    expect(late(one, first)).toMatchObject({ state: "superseded", supersededBy: first.id });
    expect(one.stored(first)).toEqual(before);
  });

  test("is given up, also where that one is not in the journal any more, or not named", () => {
    const one = till();
    expect(late(one, { id: "pruned" })).toMatchObject({ state: "superseded", supersededBy: "pruned" });
    const unnamed = late(one, undefined);
    expect(unnamed.state).toBe("superseded");
    expect(unnamed).not.toHaveProperty("supersededBy");
  });
});

test("no operation is left waiting by a final result, whichever it is", () => {
  const one = till();
  const edits = ["A", "B", "C"].map((name) => one.one(update("products", "p-1", { name })));
  const [a, b, c] = edits;
  if (a && b && c)
    one.answer(applied(a, 20), rejected(b, "not_permitted"), conflict(c, ["name"], { version: 21, data: row }));
  expect(edits.map((o) => isWaiting(one.stored(o)))).toEqual([false, false, false]);
});
