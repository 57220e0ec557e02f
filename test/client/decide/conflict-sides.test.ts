/** The sides of a conflict in an app of another schema, or where a side is gone: what is shown, and what can be kept [H7]. */
import { clientWins, manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { type Choice, resolveByPerson } from "../../../src/client/decide/conflict.ts";
import { readAgain } from "../../../src/client/decide/conflict-sides.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import type { UpcastFunction } from "../../../src/schema/types.ts";
import { products } from "../../support/shop.ts";
import { conflict, create, DecisionTill, remove, update } from "../support/decision-till.ts";

const tag = z.string().optional();
const rename: UpcastFunction = ({ words, ...rest }) => ({ ...rest, text: words });
const fail: UpcastFunction = () => {
  throw new Error("no");
};
const first = {
  notes: defineCollection({ schema: z.object({ words: z.string(), tag }), conflict: manual() }),
};
const second = (step = rename) => ({
  notes: defineCollection({
    schema: z.object({ text: z.string(), tag }),
    schemaVersion: 2,
    upcast: { 1: step },
    conflict: manual(),
  }),
});
const base = { words: "a" };
const newer = { version: 20, data: { text: "theirs" }, schemaVersion: 2 };

function till(): DecisionTill {
  const one = new DecisionTill(first);
  one.pull("notes", { id: "n-1", version: 10, data: base });
  return one;
}
const desk = (one: DecisionTill, { id }: { readonly id: string }) => {
  const found = one.conflicts.get(`c-${id}`);
  if (found === undefined) throw new Error("nothing lies on the desk");
  return found;
};
function decide(one: DecisionTill, edit: StoredOperation, choice: Choice) {
  const workspace = one.open();
  const operation = one.stored(edit);
  const input = { conflict: desk(one, edit), operation, choice, siblings: [] };
  const successor = resolveByPerson(workspace, one.context(), input);
  one.commit(workspace);
  const { action, patch, unset, data, zeros, baseVersion } = successor;
  return { action, patch, unset, data, zeros, baseVersion };
}
const code = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    const { code: found, details } = error as { readonly code: string; readonly details: object };
    return { code: found, details };
  }
  return undefined;
};
const about = { collection: "notes", id: "n-1" };

describe("a server's row that is newer than the app", () => {
  const met = () => {
    const one = till();
    const edit = one.one(update("notes", "n-1", { words: "mine" }));
    const told = one.answer(conflict(edit, ["text"], newer));
    return { one, edit, told };
  };

  test("is kept as it came, and the desk has no sides to show", () => {
    const { one, edit, told } = met();
    const found = desk(one, edit);
    expect(found).toMatchObject({ unread: true, server: newer.data, schemaVersion: 2, version: 20, fields: ["text"] });
    expect([found.base, found.client]).toEqual([undefined, undefined]);
    expect(told).toEqual([{ kind: "conflict", conflict: found }]);
    expect([one.state(edit), one.row("notes", "n-1")?.conflictId]).toEqual(["conflict", found.id]);
  });

  test("can be kept without being read", () => {
    const { one, edit } = met();
    expect(decide(one, edit, "server").action).toBe("void");
    expect(desk(one, edit).settled).toMatchObject({ by: "person", kept: "server" });
  });

  test("can't be overwritten by who has not seen it", () => {
    const { one, edit } = met();
    for (const choice of ["client", { merged: { words: "b" } }] as const)
      expect(code(() => decide(one, edit, choice))).toEqual({ code: "schema_newer", details: about });
    expect(desk(one, edit).settled).toBeUndefined();
  });

  test("is shown by the updated app, which puts the edit on it", () => {
    const { one: before, edit } = met();
    const one = before.updated(second());
    one.pull("notes", { id: "n-1", ...newer });
    expect(decide(one, edit, "client")).toMatchObject({ action: "update", patch: { text: "mine" }, baseVersion: 20 });
    const found = desk(one, edit);
    expect(found).toMatchObject({ client: { text: "mine" }, server: { text: "theirs" }, schemaVersion: 2 });
    expect(found).not.toHaveProperty("unread");
  });

  test("stays unread while no app reads it, and where its edit is not known any more", () => {
    const { one, edit } = met();
    const found = desk(one, edit);
    expect(readAgain(one.collections, found, one.stored(edit))).toBe(found);
    const other = one.updated(second());
    expect(readAgain(other.collections, found, undefined)).toBe(found);
    expect(readAgain(one.updated({ products }).collections, found, one.stored(edit))).toBe(found);
    expect(readAgain(one.updated(second(fail)).collections, found, one.stored(edit))).toBe(found);
    expect(readAgain(other.collections, found, one.stored(edit))).not.toBe(found);
  });

  test("is not taken for none where both have created it", () => {
    const one = till();
    const made = one.one(create("notes", "n-3", { words: "mine" }));
    one.answer(conflict(made, ["text"], newer));
    expect(readAgain(one.collections, desk(one, made), made)).toBe(desk(one, made));
    expect(code(() => decide(one, made, "client"))?.code).toBe("schema_newer");
  });

  test("that is deleted needs no reading", () => {
    const one = till();
    const edit = one.one(update("notes", "n-1", { words: "mine" }));
    one.answer(conflict(edit, [], { version: 20, deleted: true, schemaVersion: 2 }));
    expect(desk(one, edit)).not.toHaveProperty("unread");
    expect(desk(one, edit)).toMatchObject({ client: { words: "mine" } });
  });
});

describe("a collection that the app does not have", () => {
  const met = () => {
    const before = till();
    const edit = before.one(update("notes", "n-1", { words: "mine" }));
    const one = before.updated({ products });
    one.answer(conflict(edit, ["words"], { version: 20, data: { words: "theirs" } }));
    return { one, edit };
  };

  test("has its conflicts on the desk, as they came", () => {
    const { one, edit } = met();
    expect(desk(one, edit)).toMatchObject({ unread: true, server: { words: "theirs" }, schemaVersion: 1, version: 20 });
  });

  test("are read by the next app that has it, also where the server has deleted the record", () => {
    const before = till();
    const made = before.one(create("notes", "n-3", { words: "mine" }));
    const one = before.updated({ products });
    one.answer(conflict(made, [], { version: 20, deleted: true }));
    expect(desk(one, made).unread).toBe(true);
    const found = readAgain(before.collections, desk(one, made), one.stored(made));
    expect(found).toMatchObject({ client: { words: "mine" } });
    expect(found).not.toHaveProperty("unread");
  });

  test("takes the server's side, and no other", () => {
    const { one, edit } = met();
    expect(code(() => decide(one, edit, "client"))).toEqual({
      code: "unknown_collection",
      details: { collection: "notes" },
    });
    expect(decide(one, edit, "server").action).toBe("void");
  });
});

describe("an edit of an older app", () => {
  test("that no step can raise is left to people, and somebody hears of it", () => {
    const before = till();
    const edit = before.one(update("notes", "n-1", { words: "mine" }));
    const one = before.updated(second(fail));
    const told = one.answer(conflict(edit, ["text"], newer));
    expect(told.map(({ kind }) => kind)).toEqual(["conflict", "fault"]);
    expect(desk(one, edit)).toMatchObject({ unread: true, server: newer.data });
    expect(code(() => decide(one, edit, "client"))?.code).toBe("validation_failed");
    expect(code(() => decide(one, edit, { merged: { text: "b" } }))?.code).toBe("validation_failed");
    expect(decide(one, edit, "server").action).toBe("void");
  });

  test("is raised on the server's row, which a step may need as a whole", () => {
    const joined: UpcastFunction = ({ words, ...rest }) => ({ ...rest, text: `${words}/${rest.tag}` });
    const before = till();
    const edit = before.one(update("notes", "n-1", { words: "mine" }));
    const one = before.updated(second(joined));
    one.answer(conflict(edit, ["text"], { version: 20, data: { words: "theirs", tag: "t" }, schemaVersion: 1 }));
    expect(desk(one, edit)).toMatchObject({ client: { text: "mine/t" }, server: { text: "theirs/t" } });
  });

  test("and its conflict, which that app has shown, are decided in the new schema", () => {
    const before = till();
    const edit = before.one(update("notes", "n-1", { words: "mine" }));
    before.answer(conflict(edit, ["words"], { version: 20, data: { words: "theirs", tag: "t" } }));
    const one = before.updated(second());
    expect(decide(one, edit, "client")).toMatchObject({ action: "update", patch: { text: "mine" }, unset: [] });
    expect(desk(one, edit)).toMatchObject({ server: { text: "theirs", tag: "t" }, schemaVersion: 2 });
  });
});

test("an edit of a newer app is not read by the one that was rolled back, and no resolver is asked", () => {
  const before = new DecisionTill(second());
  before.pull("notes", { id: "n-1", version: 10, data: { text: "a" }, schemaVersion: 2 });
  const edit = before.one(update("notes", "n-1", { text: "mine" }));
  const schema = z.object({ words: z.string(), tag });
  const one = before.updated({ notes: defineCollection({ schema, conflict: clientWins() }) });
  const told = one.answer(conflict(edit, ["text"], { version: 20, data: { words: "theirs" }, schemaVersion: 1 }));
  expect(told.map(({ kind }) => kind)).toEqual(["conflict"]);
  expect([one.state(edit), desk(one, edit).unread]).toEqual(["conflict", true]);
});

test("a server's row on which a step fails is kept as it came, and only it can be kept", () => {
  const picky: UpcastFunction = (data) => (data.tag === "bad" ? fail(data) : rename(data));
  const one = till().updated(second(picky));
  const edit = one.one(update("notes", "n-1", { text: "mine" }));
  const data = { words: "theirs", tag: "bad" };
  one.answer(conflict(edit, ["text"], { version: 20, data, schemaVersion: 1 }));
  expect(desk(one, edit)).toMatchObject({ unread: true, server: data, schemaVersion: 1 });
  expect(code(() => decide(one, edit, "client"))?.code).toBe("schema_newer");
  expect(decide(one, edit, "server").action).toBe("void");
});

test("a record that both have deleted is no question to anybody", () => {
  const schema = z.object({ words: z.string(), tag });
  const one = new DecisionTill({ notes: defineCollection({ schema, conflict: clientWins() }) });
  one.one(create("notes", "n-2", { words: "b" }));
  const edit = one.one(remove("notes", "n-2"));
  one.answer(conflict(edit, [], { version: 20, deleted: true }));
  expect([one.state(edit), desk(one, edit).settled?.by]).toEqual(["superseded", "resolver"]);
});

describe("a record that neither side has", () => {
  const met = (change = update("notes", "n-2", { words: "mine" })) => {
    const one = till();
    one.one(create("notes", "n-2", { words: "b" }));
    const edit = one.one(change);
    const told = one.answer(conflict(edit, [], { version: 20, deleted: true }));
    return { one, edit, told };
  };

  test("has a conflict without sides, and nothing is at fault", () => {
    const { one, edit, told } = met();
    const { base: b, client, server, unread } = desk(one, edit);
    expect([b, client, server, unread]).toEqual([undefined, undefined, undefined, undefined]);
    expect(told.map(({ kind }) => kind)).toEqual(["conflict"]);
    expect(one.row("notes", "n-2")?.conflictId).toBe(`c-${edit.id}`);
  });

  test("can't be made of an edit of some of its fields, but of a whole record", () => {
    const { one, edit } = met();
    expect(code(() => decide(one, edit, "client"))).toEqual({
      code: "not_found",
      details: { collection: "notes", id: "n-2" },
    });
    expect(decide(one, edit, { merged: { words: "all" } })).toMatchObject({ action: "create", data: { words: "all" } });
  });

  test("stays away for whoever keeps the server's side", () => {
    const { one, edit } = met();
    expect(decide(one, edit, "server").action).toBe("void");
  });

  test("takes the edit once it is there again", () => {
    const { one, edit } = met();
    one.pull("notes", { id: "n-2", version: 30, data: { words: "c", tag: "t" } });
    expect(decide(one, edit, "client")).toMatchObject({ action: "update", patch: { words: "mine" }, unset: [] });
  });

  test("can be deleted once more", () => {
    const { one, edit } = met(remove("notes", "n-2"));
    expect(desk(one, edit)).not.toHaveProperty("unread");
    expect(decide(one, edit, "client").action).toBe("delete");
  });
});

test("a conflict of an earlier version of the store, which did not note the row's version, is decided on the row as it is", () => {
  const one = till();
  const edit = one.one(update("notes", "n-1", { words: "mine" }));
  one.answer(conflict(edit, ["words"], { version: 20, data: { words: "theirs" } }));
  const { version: _, ...stored } = desk(one, edit);
  one.conflicts.set(stored.id, stored);
  one.pull("notes", { id: "n-1", version: 30, data: { words: "mine", tag: "t" } });
  expect(decide(one, edit, "client").action).toBe("void");
});
