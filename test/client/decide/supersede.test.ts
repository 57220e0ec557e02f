/** A new operation that replaces another: its place in the replay, its chain, its transaction [C3]. */
import { lastWriteWins } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { OperationPayload } from "../../../src/client/decide/mint.ts";
import { type SupersedeOptions, samePayload, supersede } from "../../../src/client/decide/supersede.ts";
import { toWire } from "../../../src/client/decide/wire.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import { jsonBytes } from "../../../src/shared/json.ts";
import { collections, products } from "../../support/shop.ts";
import {
  blocked,
  conflict,
  create,
  DecisionTill,
  increment,
  NOW,
  quarantined,
  rejected,
  remove,
  sale,
  stockedTill,
  tea,
  update,
} from "../support/decision-till.ts";

const till = () => stockedTill();
function replace(
  one: DecisionTill,
  old: StoredOperation,
  effect: OperationPayload = samePayload(one.stored(old)),
  options: SupersedeOptions = {},
): StoredOperation {
  const workspace = one.open();
  const siblings = [...one.operations.values()].filter((o) => o.transaction === old.transaction);
  const successor = supersede(workspace, one.context(), one.stored(old), effect, siblings, options);
  one.commit(workspace);
  return successor;
}

test("the old one is kept with its verdict, and says who took its place", () => {
  const one = till();
  const edit = one.one(update("products", "p-1", { name: "A" }));
  one.answer(rejected(edit, "not_permitted"));
  const successor = replace(one, edit);
  expect(one.flat(edit)).toMatchObject({
    state: "superseded",
    supersededBy: successor.id,
    resultAt: NOW,
    error: { code: "not_permitted" },
  });
});

test("the old one keeps a person's reason, where there is one", () => {
  const one = till();
  const [first, second] = [one.one(sale("s-1")), one.one(sale("s-2"))];
  replace(one, first, { action: "void" }, { note: "typed twice" });
  replace(one, second, { action: "void" });
  expect(one.flat(first).note).toBe("typed twice");
  expect(one.flat(second)).not.toHaveProperty("note");
  expect(one.flat(second)).not.toHaveProperty("error");
});

test("the new one is never larger on the wire than was reckoned, however long its chain is [M1]", () => {
  const one = till();
  let last = one.one(update("products", "p-1", { note: "x".repeat(2_000) }));
  for (let times = 0; times < 120; times++) last = replace(one, last);
  expect(last.supersedes).toHaveLength(120);
  // The ids of this test are shorter than those of a till.
  const ids = last.supersedes?.map(() => crypto.randomUUID());
  const wire = toWire({ operation: { ...last, supersedes: ids }, after: [] });
  expect(jsonBytes(JSON.stringify(wire))).toBeLessThanOrEqual(last.bytes);
});

test("the new one belongs to the old one's transaction on this till", () => {
  const one = till();
  const operation = one.one(sale("s-1"));
  one.answer(quarantined(operation));
  expect(replace(one, operation).transaction).toBe(operation.transaction);
});

test("the new one names what the old one referenced where it is the same, and otherwise what it references itself", () => {
  const one = till();
  const operation = one.one(sale("s-1"));
  expect(replace(one, operation).references).toEqual(["products/p-1"]);
  const data = { items: [{ productId: "p-2", quantity: 1, priceCents: 1 }], totalCents: 1, soldAt: NOW };
  expect(replace(one, one.one(sale("s-2")), { action: "create", data }).references).toEqual(["products/p-2"]);
  expect(replace(one, one.one(sale("s-3")), { action: "void" })).not.toHaveProperty("references");
});

describe("of a collection that the app does not have any more, the new one", () => {
  const notes = defineCollection({
    schema: z.object({ text: z.string(), product: z.string() }),
    references: { product: "products" },
    conflict: lastWriteWins(),
  });
  const met = () => {
    const before = new DecisionTill({ ...collections, notes });
    before.pull("notes", { id: "n-1", version: 10, data: { text: "a", product: "p-1" } });
    const edit = before.one(update("notes", "n-1", { text: "b", product: "p-2" }));
    before.answer(rejected(edit, "not_permitted"));
    return { edit, one: before.updated({ products }) };
  };

  test("is all that the old one was: its base, its force, its references, its schema", () => {
    const { one, edit } = met();
    const { baseVersion, force, references, schemaVersion, patch } = edit;
    expect([force, references, baseVersion]).toEqual([true, ["products/p-2"], 10]);
    expect(replace(one, edit)).toMatchObject({ baseVersion, force, references, schemaVersion, patch });
  });

  test("gives it up without a base", () => {
    const { one, edit } = met();
    const given = replace(one, edit, { action: "void" });
    expect(given).toMatchObject({ action: "void", schemaVersion: 1 });
    expect(given).not.toHaveProperty("baseVersion");
    expect(given).not.toHaveProperty("force");
  });

  test("forces nothing where the old one did not", () => {
    const before = till();
    const edit = before.one(update("customers", "c-1", { phone: "2" }));
    expect(replace(before.updated({ products }), edit)).not.toHaveProperty("force");
  });
});

test("the new one is in the app's schema where its effect is new, and in the old one's where it is the same [H7]", () => {
  const old = defineCollection({ schema: z.object({ text: z.string() }) });
  const notes = defineCollection({ schema: z.object({ text: z.string() }), schemaVersion: 2, upcast: { 1: (d) => d } });
  const before = new DecisionTill({ notes: old });
  const [first, second] = [1, 2].map((n) => before.one(create("notes", `n-${n}`, { text: "a" })));
  const one = before.updated({ notes });
  expect(first && replace(one, first, { action: "create", data: { text: "b" } }).schemaVersion).toBe(2);
  expect(second && replace(one, second).schemaVersion).toBe(1);
});

test("the new one names the whole chain, oldest first", () => {
  const one = till();
  const first = one.one(update("products", "p-1", { name: "A" }));
  one.answer(rejected(first, "not_permitted"));
  const second = replace(one, first);
  one.answer(rejected(second, "not_permitted"));
  expect(replace(one, second).supersedes).toEqual([first.id, second.id]);
});

test("the new one has an id and a sequence number of its own", () => {
  const one = till();
  const edit = one.one(update("products", "p-1", { name: "A" }));
  one.answer(rejected(edit, "not_permitted"));
  const successor = replace(one, edit);
  expect([successor.id === edit.id, successor.sequence]).toEqual([false, 2]);
});

test("the new one stands in the old one's place in the replay, before what came after it", () => {
  const one = till();
  const edit = one.one(update("products", "p-1", { name: "A" }));
  one.answer(rejected(edit, "not_permitted"));
  one.write([update("products", "p-1", { name: "later" })]);
  replace(one, edit);
  expect(one.view("products", "p-1")).toMatchObject({ name: "later" });
});

test("the new one is minted on the server's row as it is: its author has seen it", () => {
  const one = till();
  const edit = one.one(update("products", "p-1", { name: "A" }));
  one.answer(rejected(edit, "not_permitted", { server: { version: 30, data: { ...tea, stock: 7 } } }));
  expect(replace(one, edit).baseVersion).toBe(30);
});

test("whatever is blocked is sent again", () => {
  const one = till();
  const edit = one.one(update("products", "p-1", { name: "A" }));
  const other = one.one(update("products", "p-1", { name: "B" }));
  one.answer(rejected(edit, "not_permitted"));
  one.answer(blocked(other, edit));
  const before = one.queue.unblockRound;
  replace(one, edit);
  expect(one.queue.unblockRound).toBe(before + 1);
});

describe("in an editorial transaction", () => {
  const bound = (one: DecisionTill) => {
    const [edit, sibling] = one.write([
      update("products", "p-1", { name: "A" }),
      update("customers", "c-1", { phone: "2" }),
    ]);
    if (edit === undefined || sibling === undefined) throw new Error("two edits");
    return [edit, sibling] as const;
  };

  test("the new one is bound again while a sibling waits for it: the group is sent whole [C1]", () => {
    const one = till();
    const [edit, sibling] = bound(one);
    one.answer(rejected(edit, "not_permitted"), blocked(sibling, edit));
    expect(replace(one, edit).group).toBe(sibling.group);
  });

  test("the new one stands for itself where no sibling waits any more", () => {
    const one = till();
    const [edit, sibling] = bound(one);
    one.answer(rejected(edit, "not_permitted"), rejected(sibling, "not_permitted"));
    expect(replace(one, edit)).not.toHaveProperty("group");
  });
});

describe("in a transaction of several parts", () => {
  const two = [update("products", "p-1", { name: "A" }), update("customers", "c-1", { phone: "2" })];

  test("the new edit stands for itself where only increments of it wait: they are another part [C1]", () => {
    const one = till();
    const [edit, sibling] = one.write([
      ...two,
      increment("products", "p-1", { stock: -1 }),
      increment("customers", "c-1", { points: 1 }),
    ]);
    if (edit === undefined || sibling === undefined) throw new Error("two edits");
    one.answer(rejected(edit, "not_permitted"), rejected(sibling, "not_permitted"));
    expect(replace(one, edit)).not.toHaveProperty("group");
  });

  test("the new edit stands for itself where only the one that it replaces waited", () => {
    const one = till();
    const [edit, sibling] = one.write(two);
    if (edit === undefined || sibling === undefined) throw new Error("two edits");
    one.answer(rejected(sibling, "not_permitted"));
    expect(replace(one, edit)).not.toHaveProperty("group");
  });

  test("the resolver's edit stands for itself where the same answer has settled the sibling", () => {
    const one = till();
    const [edit, sibling] = one.write(two);
    if (edit === undefined || sibling === undefined) throw new Error("two edits");
    const server = { version: 20, data: { ...tea, name: "B", stock: 7 } };
    one.answer(rejected(sibling, "not_permitted"), conflict(edit, ["name"], server));
    const successor = [...one.operations.values()].find((o) => o.supersedes?.includes(edit.id));
    expect(successor?.action).toBe("void");
    expect(successor).not.toHaveProperty("group");
  });
});

describe("the same once more", () => {
  const again = (one: DecisionTill, operation: StoredOperation) => {
    const { action, data, zeros, patch, unset, before, by } = replace(one, operation);
    return { action, data, zeros, patch, unset, before, by };
  };
  const of = ({ action, data, zeros, patch, unset, before, by }: StoredOperation) => ({
    action,
    data,
    zeros,
    patch,
    unset,
    before,
    by,
  });

  for (const [name, change] of Object.entries({
    "a create": create("products", "p-2", tea),
    "an update": update("products", "p-1", { name: "A", note: undefined, category: "hot" }),
    "a delete": remove("products", "p-1"),
  }))
    test(`is the same effect: ${name}`, () => {
      const one = till();
      one.pull("products", { id: "p-1", version: 12, data: { ...tea, stock: 7, note: "n" } });
      const operation = one.one(change);
      one.answer(rejected(operation, "not_permitted"));
      expect(again(one, operation)).toEqual(of(operation));
    });

  for (const [name, change] of Object.entries({
    "a fact": sale("s-1"),
    "an increment": increment("products", "p-1", { stock: -1 }),
  }))
    test(`is the same effect: ${name}`, () => {
      const one = till();
      const operation = one.one(change);
      one.answer(quarantined(operation));
      expect(again(one, operation)).toEqual(of(operation));
    });

  test("has a base only where the old one had one", () => {
    const one = till();
    for (const change of [
      create("customers", "c-2", { name: "Bob" }),
      increment("products", "p-1", { stock: -1 }),
      sale("s-1"),
    ])
      expect(replace(one, one.one(change))).not.toHaveProperty("baseVersion");
  });

  test("gives up once more what could not be given up", () => {
    const one = till();
    const given = replace(one, one.one(sale("s-1")), { action: "void" });
    one.answer(rejected(given, "not_permitted"));
    const next = replace(one, given);
    expect([next.action, next.supersedes?.length]).toEqual(["void", 2]);
  });

  test("never shows a fact twice", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(quarantined(operation));
    replace(one, operation);
    expect(one.row("sales", "s-1")).toMatchObject({ edits: 1, states: { pending: 1 } });
  });
});
