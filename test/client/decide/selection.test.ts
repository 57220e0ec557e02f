/** Which operations go into the next push, in which order, and what each waits for. */

import fc from "fast-check";
import { manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { type SelectionInput, selectBatch } from "../../../src/client/decide/selection.ts";
import { samePayload, supersede } from "../../../src/client/decide/supersede.ts";
import { isIn, isReplayed, type StoredOperation } from "../../../src/client/state/operation.ts";
import { collections } from "../../support/shop.ts";
import {
  applied,
  blocked,
  conflict,
  create,
  DecisionTill,
  increment,
  quarantined,
  rejected,
  remove,
  sale,
  stockedTill,
  tea,
  update,
} from "../support/decision-till.ts";

const row = { ...tea, stock: 7 };
const shop = {
  ...collections,
  labels: defineCollection({
    kind: "fact",
    schema: z.object({ rows: z.array(z.object({ tagId: z.string() })) }),
    references: { "rows[].tagId": "tags" },
  }),
  logs: defineCollection({ schema: z.object({ text: z.string() }), priority: "low" }),
  tags: defineCollection({
    schema: z.object({ label: z.string(), productId: z.string().optional() }),
    references: { productId: "products" },
    conflict: manual(),
  }),
};
const till = () => {
  const one = stockedTill(shop);
  one.pull("tags", { id: "g-1", version: 12, data: { label: "A" } });
  return one;
};

/** As the outbox is read: candidates by lane and rank, and everything for which they may have to wait. */
function select(one: DecisionTill, over: Partial<SelectionInput> = {}) {
  const all = [...one.operations.values()];
  const candidates = all
    .filter((o) => isIn(o, "pending") || (isIn(o, "blocked") && o.status.blockedInRound < one.queue.unblockRound))
    .sort((a, b) => a.lane - b.lane || a.rank - b.rank);
  return selectBatch({
    candidates,
    others: all.filter((o) => isReplayed(o) || isIn(o, "rejected")),
    limits: { maxOperations: 200, maxBytes: 512 * 1024 },
    skip: () => false,
    ...over,
  });
}
const ids = (selected: ReturnType<typeof select>) => selected.map(({ operation }) => operation.id);
const afterOf = (selected: ReturnType<typeof select>, { id }: StoredOperation) =>
  selected.find(({ operation }) => operation.id === id)?.after;

describe("the order", () => {
  test("is the high lane first, then normal, then low", () => {
    const one = till();
    const low = one.one(create("logs", "l-1", { text: "x" }));
    const normal = one.one(update("products", "p-1", { name: "A" }));
    const high = one.one(sale("s-1"));
    expect(ids(select(one))).toEqual([high.id, normal.id, low.id]);
  });

  test("in a lane is that of the sequence numbers", () => {
    const one = till();
    const sales = Array.from({ length: 5 }, (_, n) => one.one(sale(`s-${n}`)));
    expect(ids(select(one))).toEqual(sales.map(({ id }) => id));
  });

  test("gives a superseding operation the place of the one it replaces", () => {
    const one = till();
    const first = one.one(update("products", "p-1", { name: "A" }));
    const second = one.one(update("products", "p-1", { name: "B" }));
    one.answer(conflict(first, ["name"], { version: 20, data: { ...row, name: "X" } }));
    const successor = [...one.operations.values()].find((o) => o.supersedes?.includes(first.id));
    expect(ids(select(one))).toEqual([successor?.id, second.id]);
  });
});

describe("what must take effect first [C2]", () => {
  test("(a) of an edit: the previous open edit of the row", () => {
    const one = till();
    const [a, b, c] = ["A", "B", "C"].map((name) => one.one(update("products", "p-1", { name })));
    if (!a || !b || !c) throw new Error("three edits");
    const selected = select(one);
    expect([afterOf(selected, a), afterOf(selected, b), afterOf(selected, c)]).toEqual([[], [a.id], [b.id]]);
  });

  test("(a) of an edit: the one before it on the row, also where an earlier one was made anew since", () => {
    const one = till();
    const [first, second, third] = ["A", "B", "C"].map((name) => one.one(update("products", "p-1", { name })));
    if (first === undefined || second === undefined || third === undefined) throw new Error("three edits");
    one.answer(rejected(first, "not_permitted"));
    const workspace = one.open();
    supersede(workspace, one.context(), one.stored(first), samePayload(first), []);
    one.commit(workspace);
    expect(afterOf(select(one), third)).toEqual([second.id]);
  });

  test("(a) of a delete too", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    const gone = one.one(remove("products", "p-1"));
    expect(afterOf(select(one), gone)).toEqual([edit.id]);
  });

  test("(b) of an increment: an open create of the row", () => {
    const one = till();
    const [made, step] = one.write([create("products", "p-2", { ...tea, stock: 5 })]);
    if (!made || !step) throw new Error("a create and its counters");
    expect(afterOf(select(one), step)).toEqual([made.id]);
  });

  test("(b) and nothing else: an increment waits for no edit", () => {
    const one = till();
    one.one(update("products", "p-1", { name: "A" }));
    const step = one.one(increment("products", "p-1", { stock: -1 }));
    expect(afterOf(select(one), step)).toEqual([]);
  });

  test("(c) of anything: the open creates of what it references", () => {
    const one = till();
    const made = one.one(create("products", "p-2", tea));
    const sold = one.one(sale("s-1", { items: [{ productId: "p-2", quantity: 1, priceCents: 1 }] }));
    expect(afterOf(select(one), sold)).toEqual([made.id]);
  });

  test("(c) and no edits of it", () => {
    const one = till();
    one.one(update("products", "p-1", { name: "A" }));
    const sold = one.one(sale("s-1"));
    expect(afterOf(select(one), sold)).toEqual([]);
  });

  test("is not listed where it is settled", () => {
    const one = till();
    const first = one.one(update("products", "p-1", { name: "A" }));
    const second = one.one(update("products", "p-1", { name: "B" }));
    one.answer(rejected(first, "not_permitted"));
    expect(afterOf(select(one, { others: [...one.operations.values()] }), second)).toEqual([]);
  });

  test("is not listed where it is set aside: a payment goes without the sale that it names", () => {
    const one = till();
    const sold = one.one(sale("s-1"));
    one.answer(quarantined(sold, "shift_closed"));
    const paid = one.one(create("payments", "y-1", { saleId: "s-1", amountCents: 5 }));
    expect(afterOf(select(one), paid)).toEqual([]);
  });

  test("is not listed among members of one transaction, which the sequence orders", () => {
    const one = till();
    const [first, second] = one.write([
      create("customers", "c-2", { name: "B", phone: null }),
      update("customers", "c-2", { phone: "2" }),
    ]);
    if (!first || !second) throw new Error("two edits");
    expect(afterOf(select(one), second)).toEqual([]);
  });

  test("of a `void` is nothing", () => {
    const one = till();
    const first = one.one(update("products", "p-1", { name: "A" }));
    const second = one.one(update("products", "p-1", { name: "B" }));
    one.answer(conflict(second, ["name"], { version: 20, data: { ...row, name: "X" } }));
    const given = [...one.operations.values()].find((o) => o.action === "void");
    expect(given && afterOf(select(one), given)).toEqual([]);
    expect(first.status.state).toBe("pending");
  });
});

describe("what must take effect first travels with it, in front [M5]", () => {
  test("from a lower lane", () => {
    const one = till();
    const low = one.one(create("products", "p-2", tea));
    const sold = one.one(sale("s-1", { items: [{ productId: "p-2", quantity: 1, priceCents: 1 }] }));
    expect(ids(select(one))).toEqual([low.id, sold.id]);
  });

  test("with all that comes before it, and the whole transactions of it", () => {
    const one = till();
    const [made, other] = one.write([create("products", "p-2", tea), update("customers", "c-1", { phone: "2" })]);
    const tag = one.one(create("tags", "g-2", { label: "B", productId: "p-2" }));
    expect(ids(select(one, { limits: { maxOperations: 3, maxBytes: 512 * 1024 } }))).toEqual([
      made?.id,
      other?.id,
      tag.id,
    ]);
  });

  test("and once only", () => {
    const one = till();
    const made = one.one(create("products", "p-2", tea));
    const items = [{ productId: "p-2", quantity: 1, priceCents: 1 }];
    const sales = ["s-1", "s-2"].map((id) => one.one(sale(id, { items })));
    expect(ids(select(one))).toEqual([made.id, ...sales.map(({ id }) => id)]);
  });
});

describe("a transaction is never split [C1]", () => {
  const pair = (one: DecisionTill, n: number) =>
    one.write([sale(`s-${n}`), increment("products", "p-1", { stock: -1 })]);

  test("where the limit falls into it, it stays for the next batch", () => {
    const one = till();
    const [first] = [pair(one, 1), pair(one, 2)];
    expect(ids(select(one, { limits: { maxOperations: 3, maxBytes: 512 * 1024 } }))).toEqual(
      first?.map(({ id }) => id),
    );
  });

  test("one that is larger than the limit goes alone", () => {
    const one = till();
    const all = pair(one, 1);
    expect(ids(select(one, { limits: { maxOperations: 1, maxBytes: 512 * 1024 } }))).toEqual(all.map(({ id }) => id));
  });

  test("whichever of its members comes first, all are in the order of the till", () => {
    const one = till();
    const all = one.write([update("products", "p-1", { name: "A" }), update("customers", "c-1", { phone: "2" })]);
    expect(ids(select(one, { candidates: [...all].reverse() }))).toEqual(all.map(({ id }) => id));
  });
});

describe("an editorial transaction of which a member lies on a desk", () => {
  const bound = () => {
    const one = till();
    const [edit, sibling] = one.write([
      update("tags", "g-1", { label: "B" }),
      update("customers", "c-1", { phone: "2" }),
    ]);
    if (!edit || !sibling) throw new Error("two edits");
    return { one, edit, sibling };
  };
  const others = (one: DecisionTill) => [...one.operations.values()];

  test("is held: in conflict", () => {
    const { one, edit, sibling } = bound();
    one.answer(conflict(edit, ["label"], { version: 20, data: { label: "X" } }), blocked(sibling, edit));
    one.answer(rejected(one.one(update("products", "p-1", { name: "A" })), "not_permitted")); // unblocks
    expect(ids(select(one, { others: others(one) }))).not.toContain(sibling.id);
  });

  test("is held: rejected", () => {
    const { one, edit, sibling } = bound();
    one.answer(rejected(edit, "not_permitted"), blocked(sibling, edit));
    expect(ids(select(one, { others: others(one) }))).toEqual([]);
  });

  test("goes again whole when the member was superseded", () => {
    const { one, edit, sibling } = bound();
    one.answer(blocked(sibling, edit), rejected(edit, "not_permitted"));
    const workspace = one.open();
    const successor: StoredOperation = {
      ...one.stored(edit),
      id: "op-new",
      sequence: 90,
      status: { state: "pending" },
      supersedes: [edit.id],
    };
    workspace.put({
      ...one.stored(edit),
      status: { state: "superseded", supersededBy: successor.id, result: { at: 0 } },
    });
    workspace.put(successor);
    workspace.unblock();
    one.commit(workspace);
    expect(ids(select(one, { others: others(one) }))).toEqual([successor.id, sibling.id]);
  });
});

describe("what comes after more operations than it may name [M1]", () => {
  const many = Array.from({ length: 300 }, (_, n) => `p-new-${n}`);
  const items = many.map((productId) => ({ productId, quantity: 1, priceCents: 1 }));
  const limits = { maxOperations: 500, maxBytes: 512 * 1024 };

  test("stays here until enough of them are settled", () => {
    const one = till();
    const made = many.map((id) => one.one(create("products", id, tea)));
    const sold = one.one(sale("s-1", { items }));
    expect(ids(select(one, { limits }))).toEqual(made.map(({ id }) => id));
    one.answer(...made.slice(0, 50).map((operation) => applied(operation, 20)));
    const rest = made.slice(50).map(({ id }) => id);
    expect(afterOf(select(one, { limits }), sold)).toEqual(rest);
  });

  test("keeps what it is bound to here", () => {
    const one = till();
    const made = many.map((id) => one.one(create("products", id, tea)));
    one.write([sale("s-1", { items }), create("payments", "y-1", { saleId: "s-1", amountCents: 1 })]);
    expect(ids(select(one, { limits }))).toEqual(made.map(({ id }) => id));
  });

  test("names 250 of those that lie on a desk: a sale does not wait for them", () => {
    const one = till();
    const made = many.map((id) => one.one(create("tags", id, { label: "B" })));
    one.answer(...made.map((o) => conflict(o, ["label"], { version: 20, data: { label: "X" } })));
    const fact = one.one(create("labels", "l-1", { rows: many.map((tagId) => ({ tagId })) }));
    expect(afterOf(select(one, { limits }), fact)).toEqual(made.slice(0, 250).map(({ id }) => id));
  });
});

describe("a fact never waits for a person (L11)", () => {
  const soldTo = (one: DecisionTill, over: object) => one.one(sale("s-1", over as never));

  test("not where what it references lies in conflict", () => {
    const one = till();
    const made = one.one(create("customers", "c-2", { name: "B", phone: null }));
    one.answer(conflict(made, ["name"], { version: 20, data: { name: "X", phone: null, points: 0 } }));
    const sold = soldTo(one, { customerId: "c-2" });
    expect(ids(select(one))).toEqual([sold.id]);
  });

  test("not where what it references is blocked by what lies on a desk", () => {
    const one = till();
    const stuck = one.one(update("tags", "g-1", { label: "B" }));
    const made = one.one(create("customers", "c-2", { name: "B", phone: null }));
    one.answer(conflict(stuck, ["label"], { version: 20, data: { label: "X" } }), blocked(made, stuck));
    const sold = soldTo(one, { customerId: "c-2" });
    const candidates = [sold];
    expect(ids(select(one, { candidates }))).toEqual([sold.id]);
  });

  test("but it does where that is on its way", () => {
    const one = till();
    const made = one.one(create("customers", "c-2", { name: "B", phone: null }));
    const sold = soldTo(one, { customerId: "c-2" });
    expect(ids(select(one, { skip: ({ id }) => id === made.id }))).toEqual([]);
    expect(ids(select(one))).toEqual([made.id, sold.id]);
  });

  test("not where what it references has to come after what lies in conflict", () => {
    const one = till();
    const stuck = one.one(update("customers", "c-1", { phone: "2" }));
    one.answer(conflict(stuck, ["phone"], { version: 20, data: { name: "Ann", phone: "3", points: 0 } }));
    // It is kept back as a whole and never sent, so the server can't answer that it is blocked.
    one.write([create("customers", "c-2", { name: "B", phone: null }), update("customers", "c-1", { phone: "4" })]);
    const sold = soldTo(one, { customerId: "c-2" });
    expect(select(one)).toEqual([{ operation: one.stored(sold), after: [] }]);
  });

  test("not where what it references is of a transaction that is held for one who was rejected, also after a restore", () => {
    const one = till();
    const [made, edit] = one.write([
      create("customers", "c-2", { name: "B", phone: null }),
      update("customers", "c-1", { phone: "4" }),
    ]);
    if (!made || !edit) throw new Error("two edits");
    one.answer(rejected(edit, "not_permitted"), blocked(made, edit));
    one.follow("e2");
    expect([one.state(made), one.state(edit)]).toEqual(["pending", "rejected"]);
    const sold = soldTo(one, { customerId: "c-2" });
    expect(ids(select(one))).toEqual([sold.id]);
  });

  test("not where what it references is blocked by what this till does not know, or by a desk among others", () => {
    const one = till();
    const held = one.one(update("customers", "c-1", { phone: "2" }));
    one.answer(conflict(held, ["phone"], { version: 20, data: { name: "Ann", phone: "9", points: 0 } }));
    const other = one.one(create("tags", "g-9", { label: "O" }));
    const sent = [["elsewhere"], [other.id, held.id]].map((by, n) => {
      const tag = one.one(create("tags", `g-new-${n}`, { label: "B" }));
      one.answer(blocked(tag, ...by.map((id) => ({ id }))));
      const fact = one.one(create("labels", `l-${n}`, { rows: [{ tagId: `g-new-${n}` }] }));
      return ids(select(one)).includes(fact.id);
    });
    expect(sent).toEqual([true, true]);
  });

  test("but it does where what blocks that is on its way itself", () => {
    const one = till();
    const other = one.one(create("tags", "g-9", { label: "O" }));
    const tag = one.one(create("tags", "g-new", { label: "B" }));
    one.answer(blocked(tag, other));
    const fact = one.one(create("labels", "l-1", { rows: [{ tagId: "g-new" }] }));
    expect(ids(select(one))).not.toContain(fact.id);
  });

  test("an increment neither", () => {
    const one = till();
    const made = one.one(create("customers", "c-2", { name: "B", phone: null }));
    one.answer(conflict(made, ["name"], { version: 20, data: { name: "X", phone: null, points: 0 } }));
    const step = one.one(increment("customers", "c-2", { points: 1 }));
    expect(ids(select(one))).toEqual([step.id]);
  });

  test("an edit does: it would take effect on what a person may still change", () => {
    const one = till();
    const first = one.one(update("tags", "g-1", { label: "B" }));
    one.answer(conflict(first, ["label"], { version: 20, data: { label: "X" } }));
    one.one(update("tags", "g-1", { label: "C" }));
    expect(ids(select(one))).toEqual([]);
  });
});

describe("operations that name each other (L6)", () => {
  const lanes = [
    ["in their lanes' order", 1],
    ["where the lower lanes go first", -1],
  ] as const;
  const references = { saleId: "sales", cardId: "cards", paymentId: "payments" };
  const naming = { saleId: z.string().optional(), cardId: z.string().optional(), paymentId: z.string().optional() };
  const circle = {
    cards: defineCollection({
      schema: z.object({ points: z.int().default(0), ...naming }),
      counters: ["points"],
      references,
    }),
    sales: defineCollection({ kind: "fact", schema: z.object({ totalCents: z.int(), ...naming }), references }),
    payments: defineCollection({
      kind: "fact",
      schema: z.object({ saleId: z.string() }),
      references: { saleId: "sales" },
    }),
  };
  const batch = (one: DecisionTill, direction: 1 | -1) =>
    select(one, {
      candidates: [...one.operations.values()].sort((a, b) => direction * (a.lane - b.lane) || a.rank - b.rank),
    });

  test.each(lanes)("a card with its first sale, and that sale: both go, the sale with its card, %s", (_, direction) => {
    const one = new DecisionTill(circle);
    const [card, sold] = one.write([
      create("cards", "k-1", { points: 0, saleId: "s-1" }),
      create("sales", "s-1", { totalCents: 1, cardId: "k-1" }),
    ]);
    expect(batch(one, direction)).toEqual([
      { operation: card, after: [] },
      { operation: sold, after: [card?.id] },
    ]);
  });

  test.each(lanes)(
    "a sale whose transaction counts on a card that names it: both go, the card first, %s",
    (_, direction) => {
      const one = new DecisionTill(circle);
      const [sold, card, points] = one.write([
        create("sales", "s-1", { totalCents: 1 }),
        create("cards", "k-1", { points: 5, saleId: "s-1" }),
      ]);
      expect(batch(one, direction)).toEqual([
        { operation: card, after: [] },
        { operation: sold, after: [] },
        { operation: points, after: [card?.id] },
      ]);
    },
  );

  test("two facts that name each other: the first in line goes first", () => {
    const one = new DecisionTill(circle);
    const [sold] = one.write([create("sales", "s-1", { totalCents: 1, paymentId: "y-1" })]);
    const [paid] = one.write([create("payments", "y-1", { saleId: "s-1" })]);
    expect(batch(one, 1)).toEqual([
      { operation: sold, after: [] },
      { operation: paid, after: [sold?.id] },
    ]);
  });

  test("an edit of a row goes behind the earlier one that names what it is bound to", () => {
    const one = new DecisionTill(circle);
    one.pull("cards", { id: "k-1", version: 9, data: { points: 0 } });
    const early = one.one(update("cards", "k-1", { cardId: "k-2" }));
    const bound = one.write([create("cards", "k-2", {}), update("cards", "k-1", { saleId: "s-9" })]);
    expect(ids(batch(one, 1))).toEqual([early.id, ...bound.map(({ id }) => id)]);
  });
});

describe("what a poisoned operation holds back (L6)", () => {
  test("is nothing where it was set aside alone", () => {
    const one = till();
    const poison = one.one(sale("s-1"));
    const sound = one.one(sale("s-2"));
    expect(ids(select(one, { skip: ({ id }) => id === poison.id }))).toEqual([sound.id]);
  });

  test("is its whole transaction, and the edits that follow it", () => {
    const one = till();
    const [a, b] = one.write([update("products", "p-1", { name: "A" }), update("customers", "c-1", { phone: "2" })]);
    one.one(update("customers", "c-1", { phone: "3" }));
    const sound = one.one(update("tags", "g-1", { label: "B" }));
    expect(a && b && ids(select(one, { skip: ({ id }) => id === a.id }))).toEqual([sound.id]);
  });

  test("is no fact, though one lies in quarantine for the same row", () => {
    const one = till();
    one.answer(quarantined(one.one(sale("s-1"))));
    const next = one.one(sale("s-2"));
    expect(ids(select(one))).toEqual([next.id]);
  });
});

describe("the limits", () => {
  test("of bytes hold", () => {
    const one = till();
    const edits = ["p-2", "p-3", "p-4"].map((id) =>
      one.one(create("products", id, { ...tea, note: "x".repeat(1_000) })),
    );
    const maxBytes = (edits[0]?.bytes ?? 0) * 2;
    expect(ids(select(one, { limits: { maxOperations: 200, maxBytes } }))).toEqual(
      edits.slice(0, 2).map(({ id }) => id),
    );
  });

  test("let a single operation through that is larger", () => {
    const one = till();
    const edit = one.one(create("products", "p-2", { ...tea, note: "x".repeat(10_000) }));
    expect(ids(select(one, { limits: { maxOperations: 200, maxBytes: 1_024 } }))).toEqual([edit.id]);
  });

  test("let smaller units pass one that does not fit any more", () => {
    const one = till();
    const first = one.one(sale("s-1"));
    one.write([sale("s-2"), increment("products", "p-1", { stock: -1 })]);
    const last = one.one(sale("s-3"));
    expect(ids(select(one, { limits: { maxOperations: 2, maxBytes: 512 * 1024 } }))).toEqual([first.id, last.id]);
  });
});

test("whatever lies in the outbox: nothing goes twice, ahead of what comes first, or without its transaction", async () => {
  const change = fc.oneof(
    fc.constantFrom("p-1", "p-2").map((id) => [update("products", id, { name: `${id}x` })]),
    fc.constantFrom("p-2", "p-3").map((id) => [create("products", id, tea)]),
    fc
      .constantFrom("p-1", "p-2", "p-3")
      .map((productId) => [
        sale(`s-${productId}`, { items: [{ productId, quantity: 1, priceCents: 1 }] }),
        increment("products", productId, { stock: -1 }),
      ]),
    fc
      .constantFrom("p-2", "p-3")
      .map((productId) => [
        create("tags", `g-${productId}`, { label: "x", productId }),
        update("customers", "c-1", { phone: productId }),
      ]),
    fc.constant([remove("products", "p-1")]),
  );
  await fc.assert(
    fc.property(
      fc.array(change, { maxLength: 14 }),
      fc.integer({ min: 1, max: 12 }),
      fc.nat(30),
      (all, maxOperations, skipped) => {
        const one = till();
        for (const changes of all)
          try {
            one.write(changes);
          } catch {
            // The row exists already, or does not exist: the write threw.
          }
        const selected = select(one, {
          limits: { maxOperations, maxBytes: 512 * 1024 },
          skip: ({ sequence }) => sequence === skipped,
        });
        const taken = ids(selected);
        expect(new Set(taken).size).toBe(taken.length);
        for (const [index, { after }] of selected.entries())
          for (const id of after) expect(taken.slice(0, index)).toContain(id);
        for (const { operation } of selected) {
          const members = [...one.operations.values()].filter(
            (o) => o.group !== undefined && o.group === operation.group,
          );
          for (const { id } of members) expect(taken).toContain(id);
          expect(operation.sequence).not.toBe(skipped);
        }
      },
    ),
    { numRuns: 300 },
  );
});
