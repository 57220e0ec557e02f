/** Operations and conflicts as an app shows them on the desks. */
import { manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { conflictView, operationView } from "../../../src/client/decide/desk-view.ts";
import type { LocalChange } from "../../../src/client/decide/local-write.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import type { OperationResult } from "../../../src/protocol/types.ts";
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
  sale,
  stockedTill,
  tea,
  update,
} from "../support/decision-till.ts";

const till = () => stockedTill(undefined, { product: { note: "n" }, customer: { points: 3 } });
const NONE: ReadonlySet<string> = new Set();

test("an operation says what it is about, who made it and when", () => {
  const one = till();
  const operation = one.one(update("products", "p-1", { name: "A" }));
  expect(operationView(operation, NONE)).toEqual({
    id: operation.id,
    sequence: 1,
    transaction: operation.transaction,
    collection: "products",
    kind: "record",
    entityId: "p-1",
    change: { action: "update", patch: { name: "A" }, baseVersion: 10 },
    status: { state: "pending" },
    actor: "u-7",
    occurredAt: NOW,
    attempts: 0,
  });
});

describe("the change", () => {
  const shown = (change: LocalChange) => operationView(till().write([change])[0] as StoredOperation, NONE).change;

  test("of a create is the record, with its id and its counters at zero", () => {
    expect(shown(create("products", "p-2", tea))).toEqual({ action: "create", data: { id: "p-2", ...tea } });
    expect(shown(create("products", "p-2", { ...tea, stock: 5 }))).toEqual({
      action: "create",
      data: { id: "p-2", ...tea, stock: 0 },
    });
  });

  test("of an update names the fields that it removes", () => {
    const change = shown(update("products", "p-1", { name: "A", note: undefined })) as { patch: object };
    expect(change.patch).toStrictEqual({ name: "A", note: undefined });
  });

  test("of an increment is its steps", () => {
    expect(shown(increment("products", "p-1", { stock: -1 }))).toEqual({ action: "increment", by: { stock: -1 } });
  });

  test("of a delete is the version that its author saw", () => {
    expect(shown(remove("products", "p-1"))).toEqual({ action: "delete", baseVersion: 10 });
  });

  test("of what was given up is nothing", () => {
    const one = till();
    const edit = one.one(update("products", "p-1", { name: "A" }));
    one.answer(conflict(edit, ["name"], { version: 20, data: { ...tea, name: "B", stock: 7 } }));
    const given = [...one.operations.values()].find(({ action }) => action === "void") as StoredOperation;
    expect(operationView(given, NONE).change).toEqual({ action: "void" });
    expect(operationView(one.stored(edit), NONE).status).toEqual({ state: "superseded", by: given.id });
  });
});

describe("the status", () => {
  const shown = (change: LocalChange, answer: (o: StoredOperation) => OperationResult) => {
    const one = till();
    const operation = one.one(change);
    one.answer(answer(operation));
    return operationView(one.stored(operation), new Set([operation.id])).status;
  };
  const edit = update("customers", "c-1", { phone: "2" });
  const reason = (code: string) => ({ code, message: code, issues: [] });

  test("of an operation in a push is `in_flight`", () => {
    const operation = till().one(edit);
    expect(operationView(operation, new Set([operation.id])).status).toEqual({ state: "in_flight" });
  });

  test("is what the server has said", () => {
    expect(shown(edit, (o) => applied(o, 20))).toEqual({ state: "applied" });
    expect(shown(edit, (o) => blocked(o, { id: "other" }))).toEqual({ state: "blocked", by: ["other"] });
    expect(shown(edit, (o) => rejected(o, "not_permitted"))).toEqual({
      state: "rejected",
      reason: reason("not_permitted"),
    });
    expect(shown(sale("s-1"), (o) => quarantined(o))).toEqual({ state: "quarantined", reason: reason("shift_closed") });
    const server = { version: 20, data: { name: "Ann", phone: "9", points: 3 } };
    expect(shown(edit, (o) => conflict(o, ["phone"], server))).toMatchObject({ state: "conflict" });
  });

  test("has the id of the conflict", () => {
    const one = till();
    const operation = one.one(edit);
    one.answer(conflict(operation, ["phone"], { version: 20, data: { name: "Ann", phone: "9", points: 3 } }));
    expect(operationView(one.stored(operation), NONE).status).toEqual({
      state: "conflict",
      conflictId: `c-${operation.id}`,
    });
  });

  test("has the server's issues, field by field", () => {
    const error = { code: "validation_failed", message: "no", issues: [{ path: "phone", message: "too long" }] };
    const status = shown(edit, ({ id }) => ({ id, status: "rejected", error }));
    expect(status).toEqual({ state: "rejected", reason: error });
  });

  test("of what another device or the office has replaced names nothing of this till", () => {
    expect(shown(edit, (o) => rejected(o, "superseded", { by: "office" }))).toEqual({ state: "superseded", by: "" });
    expect(shown(edit, (o) => rejected(o, "already_applied"))).toEqual({ state: "superseded", by: "" });
  });
});

describe("a conflict", () => {
  const met = (one: DecisionTill, change: LocalChange, server: object) => {
    const edit = one.one(change);
    one.answer(conflict(edit, ["phone"], { version: 20, ...server } as never));
    return one.conflicts.get(`c-${edit.id}`) as never;
  };

  test("shows the three records, and the fields that differ, but no counter", () => {
    const one = till();
    const found = met(one, update("customers", "c-1", { phone: "2" }), {
      data: { name: "Ann", phone: "9", points: 8 },
    });
    expect(conflictView(found, one.collections)).toEqual({
      id: expect.stringMatching(/^c-op-/),
      collection: "customers",
      entityId: "c-1",
      base: { id: "c-1", name: "Ann", phone: "1", points: 8 },
      client: { id: "c-1", name: "Ann", phone: "2", points: 8 },
      server: { id: "c-1", name: "Ann", phone: "9", points: 8 },
      unreadable: false,
      fields: [{ field: "phone", base: "1", client: "2", server: "9" }],
      detectedAt: NOW,
      actor: "u-7",
      settled: undefined,
    });
  });

  test("has no record on a side that has deleted it", () => {
    const one = till();
    const found = met(one, update("customers", "c-1", { phone: "2" }), { deleted: true });
    expect(conflictView(found, one.collections)).toMatchObject({ server: undefined, client: { phone: "2" } });
    expect(conflictView(found, one.collections).unreadable).toBe(false);
  });

  const notes = (schemaVersion: 1 | 2, step = (data: object): object => data) => ({
    notes: defineCollection({
      schema: z.object({ text: z.string() }),
      conflict: manual(),
      ...(schemaVersion === 2 && { schemaVersion, upcast: { 1: step as never } }),
    }),
  });
  const old = () => {
    const one = new DecisionTill(notes(1));
    one.pull("notes", { id: "n-1", version: 10, data: { text: "a" } });
    return one;
  };

  test("of an older app is shown in the schema of this one [H7]", () => {
    const one = old();
    const found = met(one, update("notes", "n-1", { text: "b" }), { data: { text: "c" } });
    const loud = one.updated(notes(2, (data) => ({ text: `${(data as { text: string }).text}!` })));
    expect(conflictView(found, loud.collections)).toMatchObject({
      base: { text: "a!" },
      client: { text: "b!" },
      server: { text: "c!" },
      fields: [{ field: "text", base: "a!", client: "b!", server: "c!" }],
      unreadable: false,
    });
  });

  test("that the app can't read is `unreadable`, with the fields that the server named [H7]", () => {
    const one = old();
    const found = met(one, update("notes", "n-1", { text: "b" }), { data: { text: "c" } });
    const failing = one.updated(
      notes(2, () => {
        throw new Error("no");
      }),
    );
    const view = conflictView(found, failing.collections);
    expect(view).toMatchObject({ unreadable: true, base: undefined, client: undefined, server: undefined });
    expect(view.fields).toEqual([{ field: "phone", base: undefined, client: undefined, server: undefined }]);
  });

  test("with a newer server is `unreadable` [H7]", () => {
    const one = old();
    const found = met(one, update("notes", "n-1", { text: "b" }), { data: { text: "c" }, schemaVersion: 2 });
    expect(conflictView(found, one.collections)).toMatchObject({ unreadable: true, server: undefined });
  });

  test("of a collection that the app does not have shows what is stored, field by field", () => {
    const one = old();
    const found = met(one, update("notes", "n-1", { text: "b" }), { data: { text: "c" } });
    const stored = { ...(found as object), fields: ["text"] } as never;
    expect(conflictView(stored, one.updated({ products }).collections)).toMatchObject({
      unreadable: false,
      fields: [{ field: "text", base: "a", client: "b", server: "c" }],
    });
  });
});
