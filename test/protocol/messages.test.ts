import {
  type Parsed,
  parseConflictsResponse,
  parseDiscardQuarantinedRequest,
  parseFinalResult,
  parseHealthResponse,
  parseOperation,
  parsePoke,
  parseProblem,
  parsePullRequest,
  parsePullResponse,
  parsePushFrame,
  parsePushResponse,
  parseQuarantineResponse,
  parseRegisterRequest,
  parseRegisterResponse,
  parseResolveConflictRequest,
  parseResult,
  parseRevisedResponse,
  parseTimeResponse,
} from "tillsync/protocol";
import { describe, expect, test } from "vitest";
import { canonicalJson, type Json, type JsonObject } from "../../src/shared/json.ts";
import { fixture, fixtureNames, fixtureWith } from "./fixtures.ts";

type Parse = (value: unknown) => Parsed<unknown>;

/** By what stands before the first dash: "result.applied-row" is read as "result.applied", that as "result". */
const parsers: Readonly<Record<string, Parse>> = {
  "health.answer": parseHealthResponse,
  "time.answer": parseTimeResponse,
  "register.request": parseRegisterRequest,
  "register.answer": parseRegisterResponse,
  "push.request": parsePushFrame,
  "push.answer": parsePushResponse,
  "pull.request": parsePullRequest,
  "pull.answer": parsePullResponse,
  "live.poke": parsePoke,
  "conflicts.answer": parseConflictsResponse,
  "resolve.request": parseResolveConflictRequest,
  "resolve.answer": parseRevisedResponse,
  "quarantine.answer": parseQuarantineResponse,
  "discard.request": parseDiscardQuarantinedRequest,
  "discard.answer": parseRevisedResponse,
  "release.answer": parseRevisedResponse,
  operation: parseOperation,
  result: parseResult,
  problem: parseProblem,
};

function parserOf(name: string): Parse {
  const kind = name.split("-")[0] ?? "";
  const parse = parsers[kind] ?? parsers[kind.split(".")[0] ?? ""];
  if (parse === undefined) throw new Error(`No parser for the fixture ${name}`);
  return parse;
}

function parsed(name: string, value: unknown): unknown {
  const result = parserOf(name)(value);
  if (!result.ok) throw new Error(`${name}: ${JSON.stringify(result.issues)}`);
  return result.value;
}

describe("every message of the protocol", () => {
  test.each(fixtureNames)("%s parses, and comes back byte for byte", (name) => {
    const message = fixture(name);
    expect(canonicalJson(parsed(name, message) as Json)).toBe(canonicalJson(message));
  });

  test("has a fixture", () => {
    const kinds = Object.keys(parsers);
    expect(kinds.filter((kind) => !fixtureNames.some((name) => name.startsWith(kind)))).toEqual([]);
  });

  test("each operation of a push parses alone", () => {
    const operations = fixture("push.request").operations as readonly Json[];
    expect(operations.map((operation) => parseOperation(operation).ok)).toEqual(operations.map(() => true));
  });
});

describe("unknown members", () => {
  // They are refused nowhere but in operations: a newer server must be able to say more to an older till.
  const tolerant = fixtureNames.filter((name) => !name.startsWith("operation."));
  test.each(tolerant)("of %s are ignored", (name) => {
    const message = fixture(name);
    expect(parsed(name, { ...message, later: { anything: [1] } })).toEqual(parsed(name, message));
  });

  test("of an operation are refused by name", () => {
    expect(parseOperation({ ...fixture("operation.create"), colour: "blue" })).toEqual({
      ok: false,
      issues: [{ path: "", message: 'Unknown members: "colour"' }],
    });
  });
});

describe("data of the shop", () => {
  test("is handed on as it is, not copied", () => {
    const operation = fixture("operation.create");
    expect((parsed("operation.create", operation) as JsonObject).data).toBe(operation.data);
    const answer = JSON.parse(JSON.stringify(fixture("pull.answer")));
    const page = parsed("pull.answer", answer) as typeof answer;
    expect(page.pages.products.changes[2].data).toBe(answer.pages.products.changes[2].data);
  });
});

const deep = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`);
const own = (text: string): unknown => JSON.parse(text);
const uuids = (count: number) =>
  Array.from({ length: count }, (_, n) => `019a9f3c-5e00-7000-8000-${String(n).padStart(12, "0")}`);

describe("a malformed operation", () => {
  const refused: readonly [title: string, fixture: string, path: string, value: unknown, at: string][] = [
    ["without an id", "create", "id", undefined, "id"],
    ["with an id that is no UUID", "create", "id", "a1", "id"],
    ["with an id in upper case", "create", "id", "019A9F3C-5E00-7000-8000-0000000000A1", "id"],
    ["with sequence 0", "create", "sequence", 0, "sequence"],
    ["with a fraction as sequence", "create", "sequence", 1.5, "sequence"],
    ["with a sequence beyond 2^53", "create", "sequence", 2 ** 53, "sequence"],
    ["with a sequence as text", "create", "sequence", "43", "sequence"],
    ["without a collection", "create", "collection", undefined, "collection"],
    ["with a collection called constructor", "create", "collection", "constructor", "collection"],
    ["with a collection called __proto__", "create", "collection", "__proto__", "collection"],
    ["with an empty entity id", "create", "entityId", "", "entityId"],
    ["with an entity id of 65 characters", "create", "entityId", "x".repeat(65), "entityId"],
    ["with a slash in the entity id", "create", "entityId", "a/b", "entityId"],
    ["with an action nobody knows", "create", "action", "upsert", "action"],
    ["without an action", "create", "action", undefined, "action"],
    ["without data", "create", "data", undefined, "data"],
    ["with null as data", "create", "data", null, "data"],
    ["with an array as data", "create", "data", [], "data"],
    ["with a member of another action", "create", "baseVersion", 3, ""],
    ["with own __proto__", "create", "__proto__", {}, ""],
    ["with __proto__ in its data", "create", "data", own('{"a":{"__proto__":{"admin":true}}}'), "data.a.__proto__"],
    ["with constructor in its data", "create", "data", own('{"constructor":{}}'), "data.constructor"],
    ["with U+0000 in a string", "create", "data", { name: "a\0b" }, "data.name"],
    ["with a lone surrogate in a string", "create", "data", { name: "\ud83d" }, "data.name"],
    ["with a lone surrogate in a name", "create", "data", { "\ude00": 1 }, "data.\ude00"],
    ["with an integer beyond 2^53", "create", "data", { cents: 2 ** 53 }, "data.cents"],
    ["with NaN", "create", "data", { cents: Number.NaN }, "data.cents"],
    ["with data nested 33 deep", "create", "data", deep(33), `data.${Array(32).fill("a").join(".")}`],
    ["with a Date", "create", "data", { at: new Date(0) }, "data.at"],
    ["with null as transaction", "create", "transaction", null, "transaction"],
    ["that waits for no UUID", "create", "after", ["a1"], "after.0"],
    ["that waits for 251 operations", "create", "after", uuids(251), "after"],
    ["that waits for itself", "create", "after", ["019a9f3c-5e00-7000-8000-0000000000a1"], "after"],
    ["that supersedes itself", "void", "supersedes", ["019a9f3c-5e00-7000-8000-0000000000a6"], "supersedes"],
    ["that voids nothing", "void", "supersedes", [], "supersedes"],
    ["that voids, and does not say what", "void", "supersedes", undefined, "supersedes"],
    ["that voids with data", "void", "data", {}, ""],
    ["with schema 0", "create", "schemaVersion", 0, "schemaVersion"],
    ["without a schema version", "create", "schemaVersion", undefined, "schemaVersion"],
    ["with U+0000 in the actor", "create", "actor", "u\0", "actor"],
    ["with a local time", "create", "occurredAt", "2026-11-20T08:00:00.000+01:00", "occurredAt"],
    ["with a time without milliseconds", "create", "occurredAt", "2026-11-20T08:00:00Z", "occurredAt"],
    ["on 30 February", "create", "occurredAt", "2026-02-30T08:00:00.000Z", "occurredAt"],
    ["with a number as time", "create", "occurredAt", 1795161661250, "occurredAt"],
    ["acknowledged without a version", "acknowledged", "acknowledged.version", undefined, "acknowledged.version"],
    ["acknowledged with an unknown member", "acknowledged", "acknowledged.by", "me", "acknowledged"],
    ["with a negative base version", "update", "baseVersion", -1, "baseVersion"],
    ["without a base version", "update", "baseVersion", undefined, "baseVersion"],
    ["without a patch", "update", "patch", undefined, "patch"],
    ["with __proto__ in its patch", "update", "patch", own('{"__proto__":1}'), "patch.__proto__"],
    ["that unsets __proto__", "update", "unset", ["__proto__"], "unset.0"],
    ["that unsets a number", "update", "unset", [1], "unset.0"],
    ["that sets and unsets one member", "update", "unset", ["phone"], "unset"],
    ["with force as text", "update", "force", "yes", "force"],
    ["that steps by nothing", "increment", "by", {}, "by"],
    ["that steps by an array", "increment", "by", [1], "by"],
    ["that steps by a fraction", "increment", "by", { stock: 0.5 }, "by.stock"],
    ["that steps by an exponent", "increment", "by", { stock: "1e3" }, "by.stock"],
    ["that steps by a decimal with a plus", "increment", "by", { stock: "+1" }, "by.stock"],
    ["that steps by ten decimals", "increment", "by", { stock: "0.1234567890" }, "by.stock"],
    ["that steps __proto__", "increment", "by", own('{"__proto__":1}'), "by.__proto__"],
    ["that steps a counter without a name", "increment", "by", { "": 1 }, "by."],
    ["that deletes without a base version", "delete", "baseVersion", undefined, "baseVersion"],
  ];
  test.each(refused)("%s", (_, action, path, value, at) => {
    const result = parseOperation(fixtureWith(`operation.${action}`, path, value));
    expect(result.ok ? "accepted" : result.issues.map((issue) => issue.path)).toContain(at);
    expect(
      result.ok ? [] : result.issues.filter(({ message }) => message === "" || message === "Invalid input"),
    ).toEqual([]);
  });

  test.each([null, undefined, 1, "x", [], true])("%j is no operation", (value) => {
    expect(parseOperation(value).ok).toBe(false);
  });

  test("says in words what was expected", () => {
    expect(parseOperation({ ...fixture("operation.create"), sequence: 0, data: { cents: 2 ** 53 } })).toEqual({
      ok: false,
      issues: [
        { path: "sequence", message: "Expected a safe integer from 1" },
        { path: "data.cents", message: "Expected JSON, found an integer beyond 2^53 - 1" },
      ],
    });
  });

  test("does not repeat what the peer wrote at length", () => {
    const result = parseOperation({ ...fixture("operation.create"), [`${"x".repeat(10_000)}`]: 1 });
    expect(JSON.stringify(result).length).toBeLessThan(200);
  });
});

describe("what an operation may be", () => {
  const accepted: readonly [title: string, fixture: string, path: string, value: unknown][] = [
    ["data nested 32 deep", "create", "data", deep(32)],
    ["empty data", "create", "data", {}],
    ["fractions and null", "create", "data", { weight: 0.35, note: null }],
    ["a pair of surrogates", "create", "data", { name: "\ud83d\ude00" }],
    ["any version of UUID", "create", "id", "9c5b94b1-35ad-49bb-b118-8e8fc24abf80"],
    ["no branch", "create", "branch", undefined],
    ["no actor", "create", "actor", undefined],
    ["no transaction", "create", "transaction", undefined],
    ["250 operations before it", "create", "after", uuids(250)],
    ["an entity id called constructor", "create", "entityId", "constructor"],
    ["a patch that sets nothing", "update", "patch", {}],
    ["several counters", "increment", "by", { stock: -2, sold: 2, weight: "-0.123456789" }],
    ["nine decimals of fifteen digits", "increment", "by", { stock: "123456789012345.123456789" }],
  ];
  test.each(accepted)("%s", (_, action, path, value) => {
    expect(parseOperation(fixtureWith(`operation.${action}`, path, value))).toMatchObject({ ok: true });
  });
});

describe("the frame of a push", () => {
  test("leaves the operations as they came: a malformed one is answered alone", () => {
    const malformed = { id: uuids(1)[0], sequence: "many", colour: "blue" };
    const frame = parsePushFrame(fixtureWith("push.request", "operations", [malformed]));
    expect(frame.ok && frame.value.operations[0]).toBe(malformed);
  });

  const refused: readonly [title: string, path: string, value: unknown, at: string][] = [
    ["no device", "device", undefined, "device"],
    ["a device id with a space", "device.id", "till 3", "device.id"],
    ["no incarnation", "device.incarnation", undefined, "device.incarnation"],
    ["an incarnation that is no UUID", "device.incarnation", "1", "device.incarnation"],
    ["no epoch", "epoch", undefined, "epoch"],
    ["an empty epoch", "epoch", "", "epoch"],
    ["a mark of 2,049 characters", "marks.push", "m".repeat(2_049), "marks.push"],
    ["null as a mark", "marks.pull", null, "marks.pull"],
    ["no operations", "operations", undefined, "operations"],
    ["an operation that is null", "operations.0", null, "operations.0"],
    ["an operation that is a list", "operations.0", [], "operations.0"],
    ["an operation without an id", "operations.0", {}, "operations.0"],
    ["an operation with an unreadable id", "operations.0.id", 7, "operations.0"],
    ["one id twice", "operations.1.id", "019a9f3c-5e00-7000-8000-0000000000a1", "operations.1.id"],
    ["501 operations", "operations", uuids(501).map((id) => ({ id })), "operations"],
  ];
  test.each(refused)("is refused with %s", (_, path, value, at) => {
    const result = parsePushFrame(fixtureWith("push.request", path, value));
    expect(result.ok ? "accepted" : result.issues.map((issue) => issue.path)).toContain(at);
  });

  test("may hold 500 operations, and none", () => {
    const holding = (operations: unknown) => parsePushFrame(fixtureWith("push.request", "operations", operations)).ok;
    expect([holding(uuids(500).map((id) => ({ id }))), holding([])]).toEqual([true, true]);
  });
});

describe("requests are refused with", () => {
  const refused: readonly [title: string, fixture: string, path: string, value: unknown][] = [
    ["a cursor that is a number", "pull.request", "collections.products", 7],
    ["a collection called __proto__", "pull.request", "collections", own('{"__proto__":null}')],
    ["a collection with a dot", "pull.request", "collections", { "a.b": null }],
    ["collections as a list", "pull.request", "collections", ["products"]],
    ["limit 0", "pull.request", "limit", 0],
    ["limit 1,001", "pull.request", "limit", 1_001],
    ["limitBytes 0", "pull.request", "limitBytes", 0],
    ["limitBytes as text", "push.request", "limitBytes", "64 KiB"],
    ["no schema version", "pull.request", "schemaVersion", undefined],
    ["a name with U+0000", "register.request", "device.name", "a\0"],
    ["a name of 129 characters", "register.request", "device.name", "x".repeat(129)],
    ["marks as text", "register.request-again", "marks", "m1"],
    ["a choice nobody knows", "resolve.request", "choice", "mine"],
    ["merged without data", "resolve.request", "data", undefined],
    ["data without merged", "resolve.request-server", "data", {}],
    ["an empty reason", "discard.request", "reason", ""],
    ["no reason", "discard.request", "reason", undefined],
  ];
  test.each(refused)("%s (%s)", (_, name, path, value) => {
    expect(parserOf(name)(fixtureWith(name, path, value)).ok).toBe(false);
  });
});

describe("answers are refused with", () => {
  const refused: readonly [title: string, fixture: string, path: string, value: unknown][] = [
    ["no results", "push.answer", "results", undefined],
    ["a status nobody knows", "push.answer", "results.0.status", "done"],
    ["no mark", "push.answer", "mark", undefined],
    ["a time of another form", "push.answer", "serverTime", "yesterday"],
    ["a result without an id", "push.answer", "results.0.id", undefined],
    ["applied without a version", "push.answer", "results.0.version", undefined],
    ["a version below 0", "push.answer", "results.0.version", -1],
    ["__proto__ in a row", "push.answer", "results.2.data", own('{"__proto__":{}}')],
    ["a conflict without a row", "push.answer", "results.3.server", undefined],
    ["a conflict with half a row", "push.answer", "results.3.server", { version: 3 }],
    ["a rejection without an error", "result.rejected", "error", undefined],
    ["blocked by nobody knows", "result.blocked", "by", undefined],
    ["a change without data", "pull.answer", "pages.products.changes.2.data", undefined],
    ["a change that is deleted and has data", "pull.answer", "pages.products.changes.0.data", {}],
    ["deleted: false", "pull.answer", "pages.products.changes.2.deleted", false],
    ["a page without a cursor", "pull.answer", "pages.products.cursor", undefined],
    ["a page of a collection with a dot", "pull.answer", "pages", { "a.b": {} }],
    ["pages as a list", "pull.answer", "pages", []],
    ["device number 0", "register.answer", "device.number", 0],
    ["no epoch", "register.answer", "epoch", undefined],
    ["a status other than ok", "health.answer", "status", "fine"],
    ["a problem without a code", "problem.malformed", "code", undefined],
    ["a problem with a code nobody knows", "problem.malformed", "code", "teapot"],
    ["a poke without collections", "live.poke", "collections", undefined],
    ["a poke with rows", "live.poke", "collections", [{ id: "p-1" }]],
  ];
  test.each(refused)("%s (%s)", (_, name, path, value) => {
    expect(parserOf(name)(fixtureWith(name, path, value)).ok).toBe(false);
  });

  test.each(["blocked", "blocked-missing", "retry"])(
    "a result that is not final where only final ones stand (%s)",
    (kind) => {
      expect(parseFinalResult(fixture(`result.${kind}`)).ok).toBe(false);
    },
  );
});

test("a hostile schema walk ends: 250,000 unknown members, 20 issues at most", () => {
  const many = Object.fromEntries(Array.from({ length: 250_000 }, (_, n) => [`m${n}`, n]));
  const result = parseOperation({ ...many, id: 1 });
  expect(result.ok || result.issues.length <= 20).toBe(true);
  expect(JSON.stringify(result).length).toBeLessThan(4_000);
});
