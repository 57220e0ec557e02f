/** The counts of a row and of the queue always agree with the operations themselves. */
import fc from "fast-check";
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { LocalChange } from "../../../src/client/decide/local-write.ts";
import { isIn, isWaiting, resultOf, type StoredOperation } from "../../../src/client/state/operation.ts";
import type { StoredRow } from "../../../src/client/state/rows.ts";
import { META } from "../../../src/client/state/tables.ts";
import type { OperationResult } from "../../../src/protocol/types.ts";
import type { UpcastFunction } from "../../../src/schema/types.ts";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { collections, products } from "../../support/shop.ts";
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
  retry,
  sale,
  tea,
  update,
} from "../support/decision-till.ts";

function expectExact(till: DecisionTill): void {
  expect(till.counted()).toEqual(till.recounted());
  for (const subject of till.rows.keys()) {
    const [collection = "", id = ""] = subject.split("/");
    expect({ subject, ...till.countedRow(collection, id) }).toEqual({ subject, ...till.recountedRow(collection, id) });
  }
}

// ── What can happen to a till ──
type Step =
  | { readonly kind: "write"; readonly changes: readonly LocalChange[] }
  | { readonly kind: "answer"; readonly verdict: Verdict; readonly which: number; readonly withRow: boolean }
  | {
      readonly kind: "pull";
      readonly collection: "products" | "customers";
      readonly id: string;
      readonly gone: boolean;
    }
  | { readonly kind: "revise"; readonly which: number; readonly verdict: "applied" | "superseded" | "discarded" }
  | { readonly kind: "resync" }
  | { readonly kind: "epoch" };
type Verdict = "applied" | "conflict" | "rejected" | "quarantined" | "blocked" | "retry" | "superseded";

const productId = fc.constantFrom("p-1", "p-2");
const customerId = fc.constantFrom("c-1");
const change: fc.Arbitrary<LocalChange> = fc.oneof(
  productId.map((id) => create("products", id, { ...tea, stock: 5 })),
  fc.tuple(productId, fc.constantFrom("A", "B", "C")).map(([id, name]) => update("products", id, { name })),
  fc.tuple(productId, fc.integer({ min: -3, max: 3 })).map(([id, stock]) => increment("products", id, { stock })),
  productId.map((id) => remove("products", id)),
  customerId.map((id) => create("customers", id, { name: "Ann", phone: null })),
  fc.tuple(customerId, fc.constantFrom("1", "2")).map(([id, phone]) => update("customers", id, { phone })),
  fc.integer({ min: 1, max: 1_000_000 }).map((n) => sale(`s-${n}`)),
);
/** `restarts`: the weight of resyncs and new epochs among the steps. */
const lifeOf = (restarts: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant("write" as const),
          changes: fc.array(change, { minLength: 1, maxLength: 3 }),
        }),
      },
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("answer" as const),
          verdict: fc.constantFrom<Verdict>(
            "applied",
            "applied",
            "conflict",
            "rejected",
            "quarantined",
            "blocked",
            "retry",
            "superseded",
          ),
          which: fc.nat(20),
          withRow: fc.boolean(),
        }),
      },
      {
        weight: 2 * restarts,
        arbitrary: fc.record({
          kind: fc.constant("pull" as const),
          collection: fc.constantFrom("products" as const, "customers" as const),
          id: fc.constantFrom("p-1", "p-2", "c-1"),
          gone: fc.boolean(),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("revise" as const),
          which: fc.nat(20),
          verdict: fc.constantFrom("applied" as const, "superseded" as const, "discarded" as const),
        }),
      },
      { weight: restarts, arbitrary: fc.record({ kind: fc.constant("resync" as const) }) },
      { weight: restarts, arbitrary: fc.record({ kind: fc.constant("epoch" as const) }) },
    ),
    { minLength: 10 * (restarts - 1), maxLength: 40 },
  );

class Life {
  readonly till = new DecisionTill();
  #version = 100;
  #epoch = 1;

  run(step: Step): void {
    switch (step.kind) {
      case "write":
        try {
          this.till.write(step.changes);
        } catch (error) {
          // A change that throws leaves nothing behind.
          if (!isTillSyncError(error) || error.code === "internal") throw error;
        }
        return;
      case "answer": {
        const waiting = [...this.till.operations.values()].filter(isWaiting);
        const operation = waiting[step.which % Math.max(1, waiting.length)];
        if (operation) this.till.answer(this.#verdict(operation, step.verdict, step.withRow));
        return;
      }
      case "pull": {
        this.#version += 1;
        const data = step.collection === "products" ? { ...tea, stock: 9 } : { name: "Ann", phone: "9", points: 0 };
        this.till.pull(
          step.collection,
          step.gone
            ? { id: step.id, version: this.#version, deleted: true }
            : { id: step.id, version: this.#version, data },
        );
        return;
      }
      case "revise": {
        const judged = [...this.till.operations.values()].filter((o) => isIn(o, "conflict", "quarantined"));
        const operation = judged[step.which % Math.max(1, judged.length)];
        if (!operation) return;
        const revision = (resultOf(operation)?.revision ?? 0) + 1;
        this.#version += 1;
        if (step.verdict === "superseded")
          this.till.answer(rejected(operation, "superseded", { by: "office", revision }));
        else if (step.verdict === "discarded") this.till.answer(quarantined(operation, "discarded", { revision }));
        else this.till.answer(applied(operation, this.#version, { revision }));
        return;
      }
      case "resync":
        this.till.resync("products", "customers");
        return;
      case "epoch":
        this.#epoch += 1;
        this.till.follow(`e${this.#epoch}`);
    }
  }

  #verdict(operation: StoredOperation, verdict: Verdict, withRow: boolean): OperationResult {
    this.#version += 1;
    const version = this.#version;
    const row = operation.collection === "products" ? { ...tea, stock: 1 } : { name: "Ann", phone: "7", points: 0 };
    const isFact = operation.kind === "fact";
    switch (verdict) {
      case "applied":
        if (operation.action === "delete") return applied(operation, version, { deleted: true });
        return applied(operation, version, withRow && !isFact ? { data: row } : {});
      case "conflict":
        return isFact || operation.action === "increment" || operation.action === "void"
          ? applied(operation, version)
          : conflict(operation, ["name", "phone"], withRow ? { version, data: row } : { version, deleted: true });
      case "rejected":
        return rejected(operation, "not_permitted", withRow && !isFact ? { server: { version, data: row } } : {});
      case "quarantined":
        return quarantined(operation);
      case "blocked":
        return blocked(operation, { id: "elsewhere" });
      case "retry":
        return retry(operation);
      case "superseded":
        return rejected(operation, "already_superseded", { by: "office" });
    }
  }
}

describe("the counts on the queue and on each row, and each view,", () => {
  test.each([
    ["whatever has happened", 1],
    ["whatever has happened to a server that is restored again and again", 3],
  ])("equal what the operations give when they are counted anew, %s", async (_, restarts) => {
    await fc.assert(
      fc.property(lifeOf(restarts), (life) => {
        const one = new Life();
        for (const next of life) {
          one.run(next);
          expectExact(one.till);
        }
      }),
      { numRuns: 300 / restarts },
    );
  });

  test("say of a till on which all was answered that nothing is left", () => {
    const till = new DecisionTill();
    const operations = till.write([create("products", "p-1", { ...tea, stock: 5 }), sale("s-1")]);
    till.answer(...operations.map((operation, index) => applied(operation, 100 + index)));
    till.pull("products", { id: "p-1", version: 200, data: { ...tea, stock: 5 } });
    expect(till.counted()).toEqual({ waiting: {}, edits: 0, conflicts: 0, rejected: 0, quarantined: 0 });
  });
});

describe("a base", () => {
  const row = (name: string) => ({ ...tea, name, stock: 0 });

  test("gives way to a greater version", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data: row("A") });
    till.pull("products", { id: "p-1", version: 11, data: row("B") });
    expect(till.row("products", "p-1")).toMatchObject({ version: 11, data: row("B") });
  });

  test("stays where the version is not greater: an old answer that comes late", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data: row("A") });
    till.pull("products", { id: "p-1", version: 10, data: row("B") }, { id: "p-1", version: 9, data: row("C") });
    expect(till.row("products", "p-1")).toMatchObject({ version: 10, data: row("A") });
  });

  test("that was deleted is not brought back by an older answer", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, deleted: true });
    till.pull("products", { id: "p-1", version: 9, data: row("A") });
    expect(till.view("products", "p-1")).toBeUndefined();
  });

  test("gives way to the first answer after a resync, whatever its version", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data: row("A") });
    till.resync("products");
    till.pull("products", { id: "p-1", version: 3, data: row("B") });
    expect(till.row("products", "p-1")).toMatchObject({ version: 3, data: row("B") });
  });

  test("gives way only to a greater version again after that", () => {
    const till = new DecisionTill();
    till.resync("products");
    till.pull("products", { id: "p-1", version: 3, data: row("B") });
    till.pull("products", { id: "p-1", version: 2, data: row("C") });
    expect(till.view("products", "p-1")).toEqual(row("B"));
  });

  test("that this till has guessed gives way to the version that it was guessed for, and to no older one", () => {
    const till = new DecisionTill();
    const workspace = till.open();
    workspace.setBase("products", "p-1", 10, row("guessed"));
    workspace.markGuessed("products", "p-1");
    till.commit(workspace);
    till.pull("products", { id: "p-1", version: 9, data: row("A") });
    expect(till.view("products", "p-1")).toEqual(row("guessed"));
    till.pull("products", { id: "p-1", version: 10, data: row("B") });
    expect(till.view("products", "p-1")).toEqual(row("B"));
  });

  test("with an own edit in it does not give way to a row from before that edit", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data: row("A") });
    const workspace = till.open();
    workspace.amendBase("products", "p-1", row("mine"), 20);
    till.commit(workspace);
    till.pull("products", { id: "p-1", version: 19, data: row("B") });
    expect(till.row("products", "p-1")).toMatchObject({ version: 10, data: row("mine") });
    till.pull("products", { id: "p-1", version: 20, data: row("C") });
    expect(till.row("products", "p-1")).toMatchObject({ version: 20, data: row("C") });
  });

  test("of a collection that is not resynced keeps its version", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data: row("A") });
    till.resync("customers");
    till.pull("products", { id: "p-1", version: 3, data: row("B") });
    expect(till.view("products", "p-1")).toEqual(row("A"));
  });
});

describe("what the server has of a row", () => {
  const data = { ...tea, stock: 7 };

  test("is the row itself while nothing is open on it", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data });
    expect(till.open().baseOf("products", "p-1")).toEqual(data);
  });

  test("is the row without the open edits", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data });
    till.one(update("products", "p-1", { name: "A" }));
    expect(till.open().baseOf("products", "p-1")).toEqual(data);
  });

  test("is nothing where the row was made here", () => {
    const till = new DecisionTill();
    till.write([create("products", "p-1", data)]);
    expect(till.open().baseOf("products", "p-1")).toBeNull();
  });

  test("is nothing where there is no row", () => {
    expect(new DecisionTill().open().baseOf("products", "p-9")).toBeNull();
  });
});

describe("a new version of a row with sales on it", () => {
  const sold = () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 7 } });
    till.one(increment("products", "p-1", { stock: -2 }));
    return till;
  };

  test("keeps their sum, which needs none of them (L12)", () => {
    const till = sold();
    till.operations.clear();
    till.pull("products", { id: "p-1", version: 11, data: { ...tea, stock: 100 } });
    expect(till.view("products", "p-1")).toMatchObject({ stock: 98 });
  });

  test("under an edit is no deletion: what was before it is not kept", () => {
    const till = sold();
    till.one(update("products", "p-1", { name: "A" }));
    till.pull("products", { id: "p-1", version: 11, data: { ...tea, stock: 100 } });
    expect(till.row("products", "p-1")).not.toHaveProperty("deletedBase");
  });
});

test("a row whose edits were not loaded is not written: it would lose them", () => {
  const till = new DecisionTill();
  till.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 0 } });
  till.one(update("products", "p-1", { name: "A" }));
  till.operations.clear();
  const workspace = till.open();
  workspace.touch("products", "p-1");
  expect(() => workspace.finish()).toThrow("has 1 edits, 0 were loaded");
});

test("a change tells what the row was and what it is", () => {
  const till = new DecisionTill();
  till.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 0 } });
  const workspace = till.open();
  workspace.setBase("products", "p-1", 11, { ...tea, stock: 1 });
  const before = till.row("products", "p-1");
  const after = { ...before, version: 11, rev: 2, data: { ...tea, stock: 1 } };
  expect(workspace.finish().changes).toEqual([{ collection: "products", id: "p-1", before, after }]);
});

test("operations with the same place in the replay are in the order in which they were made", () => {
  const till = new DecisionTill();
  till.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 0 } });
  const made = ["A", "B", "C"].map((name) => ({ ...till.one(update("products", "p-1", { name })), rank: 1 }));
  till.operations.clear();
  for (const operation of made.toReversed()) till.operations.set(operation.id, operation);
  expect(till.open().operationsOf("products", "p-1")).toEqual(made);
});

test("however often a decision lets the blocked go, it is one round [H2]", () => {
  const workspace = new DecisionTill().open();
  const before = workspace.queue.unblockRound;
  workspace.unblock();
  workspace.unblock();
  expect(workspace.queue.unblockRound).toBe(before + 1);
});

describe("a stored row", () => {
  test("that nothing is open on has only what it needs", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 0 } });
    expect(till.row("products", "p-1")).toEqual({
      id: "p-1",
      version: 10,
      generation: 1,
      rev: 1,
      data: { ...tea, stock: 0 },
    });
  });

  test("counts each change of any kind", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 0 } });
    till.write([update("products", "p-1", { name: "A" }), increment("products", "p-1", { stock: 1 })]);
    expect(till.row("products", "p-1")?.rev).toBe(2);
  });

  test("keeps the server's copy apart while an edit is open, and no longer", () => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 0 } });
    const edit = till.one(update("products", "p-1", { name: "A" }));
    expect(till.row("products", "p-1")?.base).toEqual({ ...tea, stock: 0 });
    till.answer(applied(edit, 11));
    expect(till.row("products", "p-1")).not.toHaveProperty("base");
  });
});

test("what is not touched is not written", () => {
  const till = new DecisionTill();
  till.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 0 } });
  const workspace = till.open();
  workspace.setBase("products", "p-1", 9, null);
  expect(workspace.finish()).toEqual({ writes: [], changes: [] });
});

describe("a row in another schema than the app's [H7]", () => {
  const rename: UpcastFunction = ({ words }) => ({ text: words });
  const fail: UpcastFunction = () => {
    throw new Error("no");
  };
  const first = { notes: defineCollection({ schema: z.object({ words: z.string() }) }) };
  const second = (step = rename) => ({
    notes: defineCollection({ schema: z.object({ text: z.string() }), schemaVersion: 2, upcast: { 1: step } }),
  });
  const pulled = (collections: ConstructorParameters<typeof DecisionTill>[0], ...ids: readonly string[]) => {
    const one = new DecisionTill(collections);
    const changes = ids.map((id, n) => ({ id, version: n + 1, data: { words: id }, schemaVersion: 1 }));
    const workspace = one.open();
    for (const { id, version, data } of changes) workspace.setBase("notes", id, version, data, 1);
    const { faults } = workspace;
    one.commit(workspace);
    return { one, faults };
  };

  test("is raised when it comes, and stored so", () => {
    const { one, faults } = pulled(second(), "n-1");
    expect(one.row("notes", "n-1")).toMatchObject({ data: { text: "n-1" }, schemaVersion: 2 });
    expect(faults).toEqual([]);
  });

  test("on which a step fails is kept as it came, not shown, and somebody hears of it once", () => {
    const { one, faults } = pulled(second(fail), "n-1", "n-2");
    expect(one.row("notes", "n-1")).toEqual({ id: "n-1", version: 1, generation: 1, rev: 1, base: { words: "n-1" } });
    expect(faults.map((error) => isTillSyncError(error, "validation_failed"))).toEqual([true]);
  });

  test("that could not be read is shown by the app that can", () => {
    const one = pulled(second(fail), "n-1").one.updated(second());
    const workspace = one.open();
    expect([workspace.canRead("notes", "n-1"), workspace.view("notes", "n-1")]).toEqual([true, { text: "n-1" }]);
  });

  test("is written in the app's schema when it is touched, and what is not there is not", () => {
    const one = pulled(first, "n-1").one.updated(second());
    const workspace = one.open();
    workspace.touch("notes", "n-1");
    workspace.touch("notes", "n-9");
    one.commit(workspace);
    expect([...one.rows.keys()]).toEqual(["notes/n-1"]);
    expect(one.row("notes", "n-1")).toMatchObject({ data: { text: "n-1" }, schemaVersion: 2, rev: 2 });
  });

  test("keeps what was changed here: it shows again when the app that wrote it is back", () => {
    const { one } = pulled(second(), "n-1");
    const edit = one.one(update("notes", "n-1", { text: "mine" }));
    const old = one.updated(first);
    expect(old.open().canRead("notes", "n-1")).toBe(false);
    expect(old.open().baseOf("notes", "n-1")).toBeNull();
    old.answer(blocked(edit));
    const { data, base, edits } = old.row("notes", "n-1") ?? ({} as StoredRow);
    expect({ data, base, edits }).toEqual({ data: undefined, base: { text: "n-1" }, edits: 1 });
    const back = old.updated(second());
    const workspace = back.open();
    workspace.touch("notes", "n-1");
    back.commit(workspace);
    expect(back.view("notes", "n-1")).toEqual({ text: "mine" });
  });

  test("that is deleted at an older server has nothing for a step to raise", () => {
    const one = new DecisionTill(second(fail));
    const workspace = one.open();
    workspace.setBase("notes", "n-1", 2, null, 1);
    expect(workspace.faults).toEqual([]);
  });

  test("that was never there is made here in the app's schema", () => {
    const one = new DecisionTill(second());
    one.one(create("notes", "n-1", { text: "new" }));
    expect(one.row("notes", "n-1")).toMatchObject({ data: { text: "new" }, schemaVersion: 2 });
  });

  test("that can't be read takes nothing that this till makes of it", () => {
    const one = pulled(second(), "n-1").one.updated(first);
    const workspace = one.open();
    workspace.amendBase("notes", "n-1", { words: "mine" }, 20);
    expect(workspace.finish().writes).toEqual([]);
    expect(one.open().canRead("notes", "n-9")).toBe(true);
  });
});

describe("an operation of a collection that the app does not have", () => {
  const met = () => {
    const before = new DecisionTill();
    before.pull("customers", { id: "c-1", version: 10, data: { name: "Ann", phone: "1", points: 0 } });
    const edit = before.one(update("customers", "c-1", { phone: "2" }));
    const one = before.updated({ products });
    return { edit, one };
  };

  test("is counted, and its row is noted for an app that has it", () => {
    const { edit, one } = met();
    const workspace = one.open();
    workspace.put({ ...edit, status: { state: "rejected", error: { code: "no", message: "no" } } });
    const { writes, changes } = workspace.finish();
    const noted = { collection: "customers", entityId: "c-1" };
    expect(writes).toContainEqual({ kind: "put", table: META, key: "orphan:customers/c-1", value: noted });
    expect(changes).toEqual([]);
    expect(workspace.queue).toMatchObject({ waiting: {}, edits: 0, rejected: 1 });
  });

  test("is counted on its row by that app, and shown or not as its state says", () => {
    const { edit, one } = met();
    one.answer(conflict(edit, ["phone"], { version: 20, data: { name: "Ann", phone: "9", points: 0 } }));
    const back = one.updated(collections);
    const recount = () => {
      const workspace = back.open();
      workspace.recountStates("customers", "c-1");
      back.commit(workspace);
      const { states, conflictId, edits, data } = back.row("customers", "c-1") ?? ({} as StoredRow);
      return { states, conflictId, edits, phone: data?.phone };
    };
    expect(recount()).toEqual({ states: { conflict: 1 }, conflictId: `c-${edit.id}`, edits: 1, phone: "2" });
    const later = { ...edit, id: "op-later", sequence: edit.sequence + 1, rank: edit.rank + 1 };
    back.operations.set(later.id, later);
    expect(recount()).toMatchObject({ states: { conflict: 1, pending: 1 }, conflictId: `c-${edit.id}`, edits: 2 });
    back.operations.delete(later.id);
    back.operations.set(edit.id, {
      ...edit,
      status: { state: "closed_elsewhere", error: { code: "superseded", message: "" }, result: { at: 1 } },
    });
    expect(recount()).toEqual({ states: undefined, conflictId: undefined, edits: undefined, phone: "1" });
    back.operations.set(edit.id, { ...edit, action: "void" });
    expect(recount()).toMatchObject({ states: undefined, edits: undefined });
  });
});
