/** The pieces that the messages are made of. Each says in words what it expects. */
import * as z from "zod/mini";
import { isCounterStep } from "../shared/counter-step.ts";
import { type JsonObject, jsonFault } from "../shared/json.ts";
import { parseRfc3339 } from "../shared/rfc3339.ts";
import { LIMITS } from "./constants.ts";
import { define } from "./parse.ts";
import {
  isCollectionName,
  isId,
  isMemberName,
  isOpaque,
  isPlainObject,
  isText,
  isUnknownOperation,
  isUuid,
  MAX_OPAQUE,
} from "./values.ts";

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
      const fault = jsonFault(context.value);
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
  table(isMemberName, isCounterStep, "a safe integer or a decimal string").check((context) => {
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
