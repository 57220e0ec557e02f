/** How conflicts end: by the collection's resolver, or by a person. */
import { clientWins, lastWriteWins, manual, mergeFields, serverWins } from "tillsync/conflict";
import { type ConflictResolver, defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { type Choice, resolveByPerson } from "../../../src/client/decide/conflict.ts";
import type { LocalChange } from "../../../src/client/decide/local-write.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import type { JsonObject } from "../../../src/shared/json.ts";
import { applied, conflict, create, DecisionTill, increment, NOW, remove, update } from "../support/decision-till.ts";

const schema = z.object({
  name: z.string(),
  phone: z.string().nullable().default(null),
  note: z.string().optional(),
  points: z.int().default(0),
});
const base = { name: "Ann", phone: "1", points: 3 };
// biome-ignore lint/suspicious/noExplicitAny: a resolver of any kind
type Resolver = ConflictResolver<any>;

function tillWith(resolver: Resolver | undefined): DecisionTill {
  const people = defineCollection({ schema, counters: ["points"], conflict: resolver });
  const one = new DecisionTill({ people });
  one.pull("people", { id: "c-1", version: 10, data: base });
  return one;
}

/**
 * An edit that is in conflict with another edit of the same field. Returns what is sent then, and what lies on the
 * desk.
 */
function met(
  resolver: Resolver | undefined,
  change: LocalChange,
  server: JsonObject | "deleted",
  fields: readonly string[],
) {
  const till = tillWith(resolver);
  const edit = till.one(change);
  const told = till.answer(
    conflict(edit, fields, server === "deleted" ? { version: 20, deleted: true } : { version: 20, data: server }),
  );
  const successor = [...till.operations.values()].find((o) => o.supersedes?.includes(edit.id));
  return { till, edit, told, successor, desk: till.conflicts.get(`c-${edit.id}`) };
}
const sent = (operation: StoredOperation | undefined) =>
  operation && {
    action: operation.action,
    ...(operation.patch && { patch: operation.patch }),
    ...(operation.unset?.length && { unset: operation.unset }),
    ...(operation.data && { data: operation.data }),
  };

const theirs = { ...base, phone: "9" };
const mine = update("people", "c-1", { phone: "2" });

describe("each strategy, where both changed the same field", () => {
  test("serverWins: the edit is given up", () => {
    const { till, successor, desk } = met(serverWins(), mine, theirs, ["phone"]);
    expect([sent(successor), desk?.settled?.kept]).toEqual([{ action: "void" }, "server"]);
    expect(till.view("people", "c-1")).toEqual(theirs);
  });

  test("clientWins: the edit goes over the server's row", () => {
    const { till, successor, desk } = met(clientWins(), mine, theirs, ["phone"]);
    expect([sent(successor), desk?.settled?.kept]).toEqual([{ action: "update", patch: { phone: "2" } }, "client"]);
    expect(till.view("people", "c-1")).toEqual({ ...base, phone: "2" });
  });

  test("lastWriteWins: the edit that comes now is the last", () => {
    const { successor, desk } = met(lastWriteWins(), mine, theirs, ["phone"]);
    expect([sent(successor), desk?.settled?.kept]).toEqual([{ action: "update", patch: { phone: "2" } }, "client"]);
    expect(successor?.force).toBe(true);
  });

  test("the default: the server's side of what both changed, and what only the client changed", () => {
    const edit = update("people", "c-1", { phone: "2", name: "Anna" });
    const { till, successor, desk } = met(undefined, edit, theirs, ["phone"]);
    expect([sent(successor), desk?.settled?.kept]).toEqual([{ action: "update", patch: { name: "Anna" } }, "merged"]);
    expect(till.view("people", "c-1")).toEqual({ ...theirs, name: "Anna" });
  });

  test("the default, where nothing of the client is left: the edit is given up", () => {
    const { successor, desk } = met(undefined, mine, theirs, ["phone"]);
    expect([sent(successor), desk?.settled?.kept]).toEqual([{ action: "void" }, "server"]);
  });

  test("mergeFields: each field by its own rule", () => {
    const resolver = mergeFields<z.output<typeof schema> & { id: string }>({
      name: "client",
      phone: ({ base: b, client, server }) => `${b}>${client}>${server}`,
    });
    const edit = update("people", "c-1", { phone: "2", name: "Anna" });
    const { successor } = met(resolver, edit, { ...theirs, name: "Anne" }, ["phone", "name"]);
    expect(sent(successor)).toEqual({ action: "update", patch: { name: "Anna", phone: "1>2>9" } });
  });

  test("a function: the record that it answers, as the difference from the server's", () => {
    const resolver: Resolver = ({ client, server }) => ({
      ...server,
      phone: `${server.phone}/${client.phone}`,
      note: "both",
    });
    const { successor, desk } = met(resolver, mine, theirs, ["phone"]);
    expect([sent(successor), desk?.settled?.kept]).toEqual([
      { action: "update", patch: { phone: "9/2", note: "both" } },
      "merged",
    ]);
  });

  test("a function that drops a field: the field is unset", () => {
    const resolver: Resolver = ({ server: { note: _, ...rest } }) => rest;
    const { successor } = met(resolver, mine, { ...theirs, note: "n" }, ["phone"]);
    expect(sent(successor)).toEqual({ action: "update", patch: {}, unset: ["note"] });
  });

  test("whatever a resolver answers is done in the name of the edit's author", () => {
    const till = tillWith(clientWins());
    const [edit] = till.write([mine], { actor: "u-1" });
    if (edit) till.answer(conflict(edit, ["phone"], { version: 20, data: theirs }));
    expect([...till.operations.values()].map(({ actor }) => actor)).toEqual(["u-1", "u-1"]);
  });

  test("no answer of a resolver touches a counter", () => {
    const resolver: Resolver = ({ server }) => ({ ...server, phone: "5", points: 999 });
    const { till, successor } = met(resolver, mine, theirs, ["phone"]);
    expect(sent(successor)).toEqual({ action: "update", patch: { phone: "5" } });
    expect(till.view("people", "c-1")).toMatchObject({ points: 3 });
  });

  test("manual: it waits for people, in the view as its author left it", () => {
    const { till, edit, successor, desk } = met(manual(), mine, theirs, ["phone"]);
    expect([successor, desk?.settled, till.state(edit)]).toEqual([undefined, undefined, "conflict"]);
    expect(till.view("people", "c-1")).toEqual({ ...base, phone: "2" });
    expect(till.row("people", "c-1")?.conflictId).toBe(desk?.id);
  });
});

describe("a resolver", () => {
  test("sees the three records, with their id", () => {
    let seen: unknown;
    met(
      (context) => {
        seen = context;
        return "server";
      },
      update("people", "c-1", { phone: "2" }),
      { ...theirs, name: "Anne" },
      ["phone"],
    );
    expect(seen).toEqual({
      base: { id: "c-1", name: "Anne", phone: "1", points: 3 },
      client: { id: "c-1", name: "Anne", phone: "2", points: 3 },
      server: { id: "c-1", name: "Anne", phone: "9", points: 3 },
      fields: ["phone"],
    });
  });

  const faults: Record<string, Resolver> = {
    throws: () => {
      throw new Error("the resolver's own");
    },
    "answers a promise": () => Promise.resolve("server") as never,
    "answers nothing": () => undefined as never,
    "answers another word": () => "local" as never,
    "answers what is not JSON": ({ server }) => ({ ...server, phone: new Date(0) }) as never,
    "answers more than an operation may carry": ({ server }) => ({ ...server, note: "x".repeat(256 * 1024) }) as never,
    "writes to its arguments": (context) => {
      (context.server as { phone: string }).phone = "x";
      return "server";
    },
  };
  for (const [what, resolver] of Object.entries(faults))
    test(`that ${what} leaves the conflict to people, and somebody hears of it`, () => {
      const { till, edit, told } = met(resolver, mine, theirs, ["phone"]);
      expect([till.state(edit), told.map(({ kind }) => kind)]).toEqual(["conflict", ["conflict", "fault"]]);
    });

  test("is not asked where both have come to say the same", () => {
    const asked: unknown[] = [];
    const { successor } = met(
      (context) => {
        asked.push(context);
        return "manual";
      },
      mine,
      { ...base, phone: "2" },
      ["phone"],
    );
    expect([asked, sent(successor)]).toEqual([[], { action: "void" }]);
  });
});

describe("where a side has deleted the record, the strategy's name decides", () => {
  const gone = remove("people", "c-1");
  const cases: readonly (readonly [string, Resolver | undefined, object | undefined, object | undefined])[] = [
    ["serverWins", serverWins(), { action: "void" }, { action: "void" }],
    ["clientWins", clientWins(), { action: "delete" }, { action: "create", data: { name: "Ann", phone: "2" } }],
    ["lastWriteWins", lastWriteWins(), { action: "delete" }, { action: "create", data: { name: "Ann", phone: "2" } }],
    ["the default", undefined, { action: "void" }, { action: "void" }],
    [
      "mergeFields({}, client)",
      mergeFields({}, "client"),
      { action: "delete" },
      { action: "create", data: { name: "Ann", phone: "2" } },
    ],
    ["mergeFields({}, manual)", mergeFields({}, "manual"), undefined, undefined],
    ["manual", manual(), undefined, undefined],
    ["a function", () => "client", undefined, undefined],
  ];
  for (const [name, resolver, deletedHere, deletedThere] of cases) {
    test(`${name}: deleted here, edited there`, () => {
      expect(sent(met(resolver, gone, theirs, ["phone"]).successor)).toEqual(deletedHere);
    });
    test(`${name}: edited here, deleted there`, () => {
      expect(sent(met(resolver, mine, "deleted", []).successor)).toEqual(deletedThere);
    });
  }

  test("keeping an edit of a deleted record creates it with its counters at zero, as the schema writes them", () => {
    const bills = (extra: object) =>
      defineCollection({
        schema: z.object({ name: z.string(), ...extra }),
        counters: Object.keys(extra) as never,
        conflict: clientWins(),
      });
    const made = (extra: object, data: JsonObject) => {
      const till = new DecisionTill({ bills: bills(extra) });
      till.pull("bills", { id: "b-1", version: 10, data: { name: "a", ...data } });
      const edit = till.one(update("bills", "b-1", { name: "b" }));
      till.answer(conflict(edit, [], { version: 20, deleted: true }));
      const successor = [...till.operations.values()].find((o) => o.supersedes?.includes(edit.id));
      return [successor?.data, successor?.zeros];
    };
    const extra = { seen: z.int(), due: z.string(), paid: z.int().optional() };
    expect(made(extra, { seen: 3, due: "1.50" })).toEqual([{ name: "b" }, { seen: 0, due: "0" }]);
    expect(made({}, {})).toEqual([{ name: "b" }, undefined]);
  });

  test("keeping an edit of a deleted record shows it again, with the counters that live on", () => {
    const { till } = met(clientWins(), mine, "deleted", []);
    expect(till.view("people", "c-1")).toMatchObject({ name: "Ann", phone: "2" });
  });
});

describe("two devices that created the same id", () => {
  const made = create("people", "c-2", { name: "Bob", phone: "2", points: 0 });
  const other = { name: "Bea", phone: null, points: 4 };

  test("the default keeps the server's", () => {
    const { till, successor } = met(undefined, made, other, ["name", "phone"]);
    expect(sent(successor)).toEqual({ action: "void" });
    expect(till.view("people", "c-2")).toEqual(other);
  });

  test("clientWins puts this device's fields on the server's row", () => {
    const { till, successor } = met(clientWins(), made, other, ["name", "phone"]);
    expect(sent(successor)).toEqual({ action: "update", patch: { name: "Bob", phone: "2" } });
    expect(till.view("people", "c-2")).toEqual({ name: "Bob", phone: "2", points: 4 });
  });

  test("clientWins leaves what only the other has, and an answer without it removes it", () => {
    const noted = { ...other, note: "n" };
    expect(sent(met(clientWins(), made, noted, ["name"]).successor)).toEqual({
      action: "update",
      patch: { name: "Bob", phone: "2" },
    });
    const resolver: Resolver = ({ server: { note: _, ...rest } }) => rest;
    expect(sent(met(resolver, made, noted, ["name"]).successor)).toEqual({
      action: "update",
      patch: {},
      unset: ["note"],
    });
  });
});

describe("the desk", () => {
  for (const [state, resolver] of Object.entries({ open: manual(), settled: serverWins() }))
    test(`tells of what it keeps: a conflict that is ${state}`, () => {
      const { desk, told } = met(resolver, mine, theirs, ["phone"]);
      expect(told).toEqual([{ kind: "conflict", conflict: desk }]);
    });

  test("keeps the edit that lost, with its three sides (L1)", () => {
    const { desk, edit } = met(serverWins(), mine, theirs, ["phone"]);
    expect(desk).toEqual({
      id: `c-${edit.id}`,
      operationId: edit.id,
      collection: "people",
      entityId: "c-1",
      base,
      client: { ...base, phone: "2" },
      server: theirs,
      version: 20,
      fields: ["phone"],
      detectedAt: NOW,
      sequence: 1,
      actor: "u-7",
      settled: { by: "resolver", at: NOW, kept: "server" },
    });
  });

  test("hears of a settlement once", () => {
    expect(met(serverWins(), mine, theirs, ["phone"]).told.map(({ kind }) => kind)).toEqual(["conflict"]);
  });

  test("closes where the office has settled it", () => {
    const { till, edit, desk } = met(manual(), mine, theirs, ["phone"]);
    const server = { version: 30, data: { ...base, phone: "5" } };
    const told = till.answer({
      id: edit.id,
      status: "rejected",
      error: { code: "superseded", message: "" },
      by: "office",
      revision: 1,
      server,
    });
    expect(till.conflicts.get(desk?.id ?? "")?.settled).toMatchObject({ by: "server", kept: "server" });
    expect([till.state(edit), told.map(({ kind }) => kind)]).toEqual(["closed_elsewhere", ["conflict"]]);
    expect(till.view("people", "c-1")).toEqual(server.data);
  });

  test("closes where the edit was let in after all", () => {
    const { till, edit, desk } = met(manual(), mine, theirs, ["phone"]);
    till.answer(applied(edit, 30, { revision: 1, data: { ...base, phone: "2" } }));
    expect(till.conflicts.get(desk?.id ?? "")?.settled).toMatchObject({ by: "server", kept: "client" });
    expect(till.row("people", "c-1")).not.toHaveProperty("conflictId");
  });
});

describe("a person", () => {
  const resolve = (till: DecisionTill, edit: StoredOperation, choice: Choice) => {
    const desk = till.conflicts.get(`c-${edit.id}`);
    if (desk === undefined) throw new Error("nothing lies on the desk");
    const workspace = till.open();
    const successor = resolveByPerson(workspace, till.context(), {
      conflict: desk,
      operation: till.stored(edit),
      choice,
      note: "asked her",
      siblings: [],
    });
    till.commit(workspace);
    return { till, edit, successor, desk: till.conflicts.get(desk.id) };
  };
  const chooses = (
    change: LocalChange,
    server: JsonObject | "deleted",
    choice: Choice,
    before?: (till: DecisionTill) => void,
  ) => {
    const { till, edit } = met(manual(), change, server, ["phone"]);
    before?.(till);
    return resolve(till, edit, choice);
  };

  test("who keeps the server's side gives the edit up", () => {
    const { till, successor, desk } = chooses(mine, theirs, "server");
    expect([sent(successor), desk?.settled]).toEqual([
      { action: "void" },
      { by: "person", at: NOW, kept: "server", note: "asked her" },
    ]);
    expect(till.view("people", "c-1")).toEqual(theirs);
  });

  test("who keeps the client's side puts the edit on the server's row", () => {
    const { till, successor } = chooses(mine, { ...theirs, name: "Anne" }, "client");
    expect(sent(successor)).toEqual({ action: "update", patch: { phone: "2" } });
    expect(till.view("people", "c-1")).toEqual({ ...base, name: "Anne", phone: "2" });
  });

  test("who keeps the client's side removes the fields that the edit removed", () => {
    const till = tillWith(manual());
    till.pull("people", { id: "c-1", version: 11, data: { ...base, note: "old" } });
    const edit = till.one(update("people", "c-1", { note: undefined }));
    till.answer(conflict(edit, ["note"], { version: 20, data: { ...base, note: "other" } }));
    const { successor } = resolve(till, edit, "client");
    expect(sent(successor)).toEqual({ action: "update", patch: {}, unset: ["note"] });
    expect(till.view("people", "c-1")).toEqual(base);
  });

  test("who merges chooses fields on top of the server's record", () => {
    const { successor, desk } = chooses(mine, { ...theirs, name: "Anne" }, { merged: { phone: "2/9", note: "n" } });
    expect([sent(successor), desk?.settled?.kept]).toEqual([
      { action: "update", patch: { phone: "2/9", note: "n" } },
      "merged",
    ]);
  });

  test("who merges to what the server has already gives the edit up", () => {
    expect(sent(chooses(mine, theirs, { merged: { phone: "9" } }).successor)).toEqual({ action: "void" });
  });

  test("who merges fields of a record that the server has deleted has them on top of this side's", () => {
    expect(sent(chooses(mine, "deleted", { merged: { note: "n" } }).successor)).toEqual({
      action: "create",
      data: { name: "Ann", phone: "2", note: "n" },
    });
  });

  test("who merges where this side is a delete does not delete", () => {
    const { successor } = chooses(remove("people", "c-1"), theirs, { merged: { note: "n" } });
    expect(sent(successor)).toEqual({ action: "update", patch: { note: "n" } });
  });

  test("who keeps a record that the server has deleted creates it again", () => {
    expect(sent(chooses(mine, "deleted", "client").successor)).toEqual({
      action: "create",
      data: { name: "Ann", phone: "2" },
    });
  });

  test("who keeps a delete deletes what is there now", () => {
    const { successor } = chooses(remove("people", "c-1"), theirs, "client");
    expect([sent(successor), successor.baseVersion]).toEqual([{ action: "delete" }, 20]);
  });

  test("answers to the row that the desk showed, so that what was written since is in conflict again [C5]", () => {
    const { successor } = chooses(mine, theirs, "client", (till) =>
      till.pull("people", { id: "c-1", version: 40, data: { ...theirs, name: "Anne", phone: "8" } }),
    );
    expect([sent(successor), successor.baseVersion]).toEqual([{ action: "update", patch: { phone: "2" } }, 20]);
  });

  test("does not bring back a row that was deleted after the desk had shown it", () => {
    const { successor } = chooses(mine, theirs, "client", (till) =>
      till.pull("people", { id: "c-1", version: 40, deleted: true }),
    );
    expect([sent(successor), successor.baseVersion]).toEqual([{ action: "update", patch: { phone: "2" } }, 20]);
  });

  test("leaves later edits of the row in the view, on top", () => {
    const { till } = chooses(mine, theirs, "server", (one) => {
      one.write([update("people", "c-1", { name: "Annie" }), increment("people", "c-1", { points: 1 })]);
    });
    expect(till.view("people", "c-1")).toEqual({ ...theirs, name: "Annie", points: 4 });
  });
});
