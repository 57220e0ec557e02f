import {
  type Parsed,
  parseConflictsResponse,
  parseDeskQuery,
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
    ["with a list of one UUID as its id", "create", "id", uuids(1), "id"],
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
    ["acknowledged with an empty receipt", "acknowledged", "acknowledged.receipt", "", "acknowledged.receipt"],
    [
      "with a receipt of 129 characters",
      "acknowledged",
      "acknowledged.receipt",
      "f".repeat(129),
      "acknowledged.receipt",
    ],
    ["with a receipt that JSON escapes", "acknowledged", "acknowledged.receipt", "\u0001", "acknowledged.receipt"],
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

  test("repeats names of up to 40 characters, and the start of longer ones", () => {
    const [whole, long] = ["a".repeat(40), "b".repeat(41)];
    expect(parseOperation({ ...fixture("operation.create"), [whole]: 1, [long]: 1 })).toMatchObject({
      issues: [{ message: `Unknown members: "${whole}", "${"b".repeat(40)}…"` }],
    });
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
    ["an actor of 128 characters", "create", "actor", "u".repeat(128)],
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

describe("the query of a desk", () => {
  test("is text that is read", () => {
    expect(parseDeskQuery({ state: "open", limit: "200", after: "c-1" })).toEqual({
      ok: true,
      value: { state: "open", limit: 200, after: "c-1" },
    });
    expect(parseDeskQuery({})).toEqual({ ok: true, value: {} });
  });

  test.each([
    [{ state: "all" }, { path: "state", message: 'Expected "open" or "settled"' }],
    [{ limit: "0" }, { path: "limit", message: "Expected at least 1" }],
    [{ limit: "201" }, { path: "limit", message: "Expected at most 200" }],
    [{ limit: "1000" }, { path: "limit", message: "Expected 1 to 200" }],
    [{ limit: "ten" }, { path: "limit", message: "Expected 1 to 200" }],
    [{ after: "" }, { path: "after", message: "Expected a string of 1 to 2048 characters" }],
  ])("is refused if it is %j, with what is expected", (query, issue) => {
    expect(parseDeskQuery(query)).toEqual({ ok: false, issues: [issue] });
  });
});

describe("a refusal says what is expected, in words that depend on nothing but the message", () => {
  const said: readonly [title: string, fixture: string, path: string, value: unknown, at: string, message: string][] = [
    ["a member that is missing", "operation.create", "id", undefined, "id", "Missing"],
    ["data that is missing", "operation.create", "data", undefined, "data", "Missing"],
    ["data of another kind", "operation.create", "data", [], "data", "Expected an object"],
    ["steps that are missing", "operation.increment", "by", undefined, "by", "Missing"],
    ["steps of another kind", "operation.increment", "by", [1], "by", "Expected an object"],
    ["no step", "operation.increment", "by", {}, "by", "Expected at least one counter"],
    [
      "a step of another kind",
      "operation.increment",
      "by",
      { stock: 0.5 },
      "by.stock",
      "Expected a safe integer or a decimal string",
    ],
    ["an object that is missing", "push.request", "device", undefined, "device", "Missing"],
    ["an object of another kind", "push.request", "device", "till", "device", "Expected object"],
    ["a list that is missing", "push.request", "operations", undefined, "operations", "Missing"],
    ["a list of another kind", "push.request", "operations", "none", "operations", "Expected array"],
    ["a flag of another kind", "operation.update", "force", "yes", "force", "Expected boolean"],
    ["a record of another kind", "health.answer", "limits", 7, "limits", "Expected record"],
    ["a limit that is no integer", "pull.request", "limit", 1.5, "limit", "Expected int"],
    ["a limit too small", "pull.request", "limit", 0, "limit", "Expected at least 1"],
    ["a limit too large", "pull.request", "limit", 1_001, "limit", "Expected at most 1000"],
    ["a list too short", "operation.void", "supersedes", [], "supersedes", "Expected at least 1"],
    [
      "another word than those there are",
      "resolve.request",
      "choice",
      "mine",
      "choice",
      'Expected "server" or "client" or "merged"',
    ],
    ["data without a merge", "resolve.request-server", "data", {}, "data", "Expected with `merged`, and only then"],
    ["pages that are missing", "pull.answer", "pages", undefined, "pages", "Missing"],
    ["pages of another kind", "pull.answer", "pages", [], "pages", "Expected an object without `__proto__`"],
    ["a page under what is no name", "pull.answer", "pages", { "a.b": {} }, "pages.a.b", "Not a name"],
    [
      "an action that there is not",
      "operation.create",
      "action",
      "upsert",
      "action",
      "None of the forms that are allowed here",
    ],
    [
      "an operation that waits for itself",
      "operation.create",
      "after",
      ["019a9f3c-5e00-7000-8000-0000000000a1"],
      "after",
      "An operation can't wait for itself",
    ],
    [
      "an id twice",
      "push.request",
      "operations",
      [...uuids(1), ...uuids(1)].map((id) => ({ id })),
      "operations.1.id",
      "Twice in one push",
    ],
    [
      "a schema version of 0",
      "pull.request",
      "schemaVersions",
      { products: 0 },
      "schemaVersions.products",
      "Expected a safe integer from 1, for the name of a collection",
    ],
  ];
  test.each(said)("%s (%s)", (_, name, path, value, at, message) => {
    expect(parserOf(name)(fixtureWith(name, path, value))).toEqual({ ok: false, issues: [{ path: at, message }] });
  });

  test.each([
    ["null", null, "Expected object"],
    ["nothing", undefined, "Missing"],
  ])("%s instead of a message", (_, value, message) => {
    expect(parsePushFrame(value)).toEqual({ ok: false, issues: [{ path: "", message }] });
  });

  test("20 issues at most", () => {
    const result = parseOperation({ ...fixture("operation.create"), after: Array(50).fill("a1") });
    expect(result.ok ? 0 : result.issues.length).toBe(20);
  });
});

describe("the schema versions of a pull", () => {
  const pull = (versions: unknown) => parsePullRequest(fixtureWith("pull.request", "schemaVersions", versions)).ok;

  test("are safe integers from 1, by collection", () => {
    expect(pull({ products: 1, sales: Number.MAX_SAFE_INTEGER })).toBe(true);
    expect(pull({})).toBe(true);
  });

  test.each([{ products: 0 }, { products: 1.5 }, { products: 2 ** 53 }, { products: "1" }, { "a.b": 1 }, [1], null])(
    "are refused if they are %j",
    (versions) => {
      expect(pull(versions)).toBe(false);
    },
  );
});

test("a hostile schema walk ends: 250,000 unknown members, 20 issues at most", () => {
  const many = Object.fromEntries(Array.from({ length: 250_000 }, (_, n) => [`m${n}`, n]));
  const result = parseOperation({ ...many, id: 1 });
  expect(result.ok || result.issues.length <= 20).toBe(true);
  expect(JSON.stringify(result).length).toBeLessThan(4_000);
});
