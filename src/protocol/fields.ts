/** The pieces that the messages are made of. Each says in words what it expects. (protocol) */
import * as z from "zod/mini";
import { type JsonObject, jsonFault } from "../shared/json.ts";
import { parseRfc3339 } from "../shared/rfc3339.ts";
import { LIMITS } from "./constants.ts";
import { define } from "./parse.ts";
import type { CounterValue, UnknownOperation } from "./types.ts";

const ID = /^[A-Za-z0-9_-]{1,64}$/;
// RFC 9562, any version; lower case only: one operation must have one spelling, or a store that compares text sees two.
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DECIMAL = /^-?\d{1,15}(\.\d{1,9})?$/;
// With the `u` flag a pair is one character above the range, so that only lone surrogates match.
const UNSTORABLE = /[\0\ud800-\udfff]/u;
/** Would reach an object's prototype where somebody merges without care. */
const POISONED = new Set(["__proto__", "constructor", "prototype"]);

/** Long enough for a cursor that carries its scope and its signature. */
const MAX_OPAQUE = 2_048;
const MAX_NAME = 128;

export function isId(value: unknown): value is string {
  return typeof value === "string" && ID.test(value);
}

/** A UUID in lower case: what operation ids and incarnations are. */
export function isUuid(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}

/** An id that is also used as a key: no collection is called `constructor`. */
export function isCollectionName(value: unknown): value is string {
  return isId(value) && !POISONED.has(value);
}

function isMemberName(value: unknown): value is string {
  return isText(value, MAX_NAME) && !POISONED.has(value);
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= maxLength && !UNSTORABLE.test(value);
}

function isCounterValue(value: unknown): value is CounterValue {
  return typeof value === "number" ? Number.isSafeInteger(value) : typeof value === "string" && DECIMAL.test(value);
}

export function isOpaque(value: unknown): value is string {
  return isText(value, MAX_OPAQUE);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isUnknownOperation(value: unknown): value is UnknownOperation {
  return isPlainObject(value) && isUuid(value.id);
}

/** A value that one test decides. Missing is said as missing. */
function scalar<T>(test: (value: unknown) => value is T, expected: string) {
  return z.custom<T>(test, { error: (issue) => (issue.input === undefined ? "Missing" : `Expected ${expected}`) });
}

export const id = /* @__PURE__ */ define(() => scalar(isId, `1 to ${LIMITS.idLength} of A-Z a-z 0-9 _ -`));
export const uuid = /* @__PURE__ */ define(() => scalar(isUuid, "a UUID in lower case"));
export const collectionName = /* @__PURE__ */ define(() => scalar(isCollectionName, "the name of a collection"));
export const memberName = /* @__PURE__ */ define(() => scalar(isMemberName, "the name of a member"));
/** Epochs, marks and cursors: only the server that made them reads them. */
export const opaque = /* @__PURE__ */ define(() => scalar(isOpaque, `a string of 1 to ${MAX_OPAQUE} characters`));
/** What people or other systems named: a cashier, a device, a reason. */
export const text = (maxLength: number) =>
  scalar((value): value is string => isText(value, maxLength), `a string of 1 to ${maxLength} characters`);

export const integerFrom = (minimum: number) =>
  scalar(
    (value): value is number => Number.isSafeInteger(value) && (value as number) >= minimum,
    `a safe integer from ${minimum}`,
  );
/** A change position of the tenant. 0: before the first. */
export const version = /* @__PURE__ */ define(() => integerFrom(0));

export const moment = /* @__PURE__ */ define(() =>
  scalar(
    (value): value is string => typeof value === "string" && parseRfc3339(value) !== undefined,
    "a moment like 2026-11-20T08:00:00.000Z",
  ),
);

/**
 * Data of the shop: checked where it stands and handed on as it is. A schema that rebuilt it would copy each row of a page
 * for nothing.
 */
export const jsonObject = /* @__PURE__ */ define(() =>
  z
    .custom<JsonObject>(isPlainObject, {
      error: (issue) => (issue.input === undefined ? "Missing" : "Expected an object"),
      abort: true,
    })
    .check((context) => {
      const fault = jsonFault(context.value, { maxDepth: LIMITS.jsonDepth });
      if (fault === undefined) return;
      context.issues.push({
        code: "custom",
        input: context.value,
        path: [...fault.segments],
        message: `Expected JSON, found ${fault.reason}`,
      });
    }),
);

/** An object as a table of scalars. Not `z.record`, which drops a member called `__proto__` in silence. */
function table<V>(isKey: (key: string) => boolean, isValue: (value: unknown) => value is V, expected: string) {
  return z
    .custom<Record<string, V>>(isPlainObject, {
      error: (issue) => (issue.input === undefined ? "Missing" : "Expected an object"),
      abort: true,
    })
    .check((context) => {
      for (const [key, value] of Object.entries(context.value)) {
        if (isKey(key) && isValue(value)) continue;
        context.issues.push({ code: "custom", input: value, path: [key], message: `Expected ${expected}` });
        return;
      }
    });
}

/** Steps of counters. */
export const steps = /* @__PURE__ */ define(() =>
  table(isMemberName, isCounterValue, "a safe integer or a decimal string").check((context) => {
    if (Object.keys(context.value).length > 0) return;
    context.issues.push({ code: "custom", input: context.value, path: [], message: "Expected at least one counter" });
  }),
);

/** Cursors by collection; `null`: from the start. */
export const cursors = /* @__PURE__ */ define(() =>
  table(
    isCollectionName,
    (value): value is string | null => value === null || isOpaque(value),
    "a cursor, or null, for the name of a collection",
  ),
);

/** Whatever came under an id that can be answered. */
export const unknownOperation = /* @__PURE__ */ define(() =>
  scalar(isUnknownOperation, "an object with a UUID in lower case as its `id`"),
);

/** Who speaks: in every request that is about a device's own work. */
export const deviceRef = /* @__PURE__ */ define(() => z.object({ id, incarnation: uuid }));
export const marks = /* @__PURE__ */ define(() => z.object({ push: z.optional(opaque), pull: z.optional(opaque) }));

/** Of each answer that rows or results come in. */
export const answerHead = /* @__PURE__ */ define(() => ({
  requestId: id,
  epoch: opaque,
  serverTime: moment,
  mark: opaque,
}));
