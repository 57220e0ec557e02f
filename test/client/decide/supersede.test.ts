/** A new operation in the place of another: its place in the replay, its chain, its transaction [C3]. */
import { describe, expect, test } from "vitest";
import { samePayload, supersede } from "../../../src/client/decide/supersede.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import {
  blocked,
  create,
  DecisionTill,
  increment,
  NOW,
  quarantined,
  rejected,
  remove,
  sale,
  tea,
  update,
} from "../support/decision-till.ts";

const till = () => {
  const one = new DecisionTill();
  one.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 7 } });
  one.pull("customers", { id: "c-1", version: 11, data: { name: "Ann", phone: "1", points: 0 } });
  return one;
};
function replace(one: DecisionTill, old: StoredOperation, effect = samePayload(one.stored(old))): StoredOperation {
  const workspace = one.open();
  const siblings = [...one.operations.values()].filter((o) => o.transaction === old.transaction);
  const successor = supersede(workspace, one.context(), one.stored(old), effect, siblings);
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

  test("never shows a fact twice", () => {
    const one = till();
    const operation = one.one(sale("s-1"));
    one.answer(quarantined(operation));
    replace(one, operation);
    expect(one.row("sales", "s-1")).toMatchObject({ edits: 1, states: { pending: 1 } });
  });
});
