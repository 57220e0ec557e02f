/** The parts that messages are made of. A part that refuses a value says what it expected. */
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
  isReceipt,
  isText,
  isUnknownOperation,
  isUuid,
  MAX_OPAQUE,
} from "./values.ts";

/** A value that one test accepts or refuses. */
function scalar<T>(test: (value: unknown) => value is T, expected: string) {
  return z.custom<T>(test, { error: (issue) => (issue.input === undefined ? "Missing" : `Expected ${expected}`) });
}

export const id = /* @__PURE__ */ define(() => scalar(isId, `1 to ${LIMITS.idLength} of A-Z a-z 0-9 _ -`));
export const uuid = /* @__PURE__ */ define(() => scalar(isUuid, "a UUID in lower case"));
export const collectionName = /* @__PURE__ */ define(() => scalar(isCollectionName, "the name of a collection"));
export const memberName = /* @__PURE__ */ define(() => scalar(isMemberName, "the name of a member"));
/** An epoch, a mark or a cursor: only the server that made it reads it. */
export const opaque = /* @__PURE__ */ define(() => scalar(isOpaque, `a string of 1 to ${MAX_OPAQUE} characters`));
/** Only the server that made it reads it. */
export const receipt = /* @__PURE__ */ define(() => scalar(isReceipt, "1 to 128 of A-Z a-z 0-9 _ . -"));
/** A name or a text from outside: a cashier, a device, a reason. */
export const text = (maxLength: number) =>
  scalar((value): value is string => isText(value, maxLength), `a string of 1 to ${maxLength} characters`);

export const integerFrom = (minimum: number) =>
  scalar(
    (value): value is number => Number.isSafeInteger(value) && (value as number) >= minimum,
    `a safe integer from ${minimum}`,
  );
/** A change position of the tenant; 0 is before the first change. */
export const version = /* @__PURE__ */ define(() => integerFrom(0));

export const moment = /* @__PURE__ */ define(() =>
  scalar(
    (value): value is string => typeof value === "string" && parseRfc3339(value) !== undefined,
    "a moment like 2026-11-20T08:00:00.000Z",
  ),
);

/**
 * Data of the shop. It is checked and returned as it is: a schema that rebuilt it would copy every row of a page for
 * nothing.
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

/** An object with values of one kind. Not `z.record`, which silently drops a member called `__proto__`. */
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

/** The steps of an increment, by counter. */
export const steps = /* @__PURE__ */ define(() =>
  table(isMemberName, isCounterStep, "a safe integer or a decimal string").check((context) => {
    if (Object.keys(context.value).length > 0) return;
    context.issues.push({ code: "custom", input: context.value, path: [], message: "Expected at least one counter" });
  }),
);

/** Cursors by collection; `null` pulls from the start. */
export const cursors = /* @__PURE__ */ define(() =>
  table(
    isCollectionName,
    (value): value is string | null => value === null || isOpaque(value),
    "a cursor, or null, for the name of a collection",
  ),
);

/** Schema versions by collection. */
export const versions = /* @__PURE__ */ define(() =>
  table(
    isCollectionName,
    (value): value is number => Number.isSafeInteger(value) && (value as number) >= 1,
    "a safe integer from 1, for the name of a collection",
  ),
);

/** An operation of which only the id is checked. */
export const unknownOperation = /* @__PURE__ */ define(() =>
  scalar(isUnknownOperation, "an object with a UUID in lower case as its `id`"),
);

/** Which store of which device speaks: in register, push and pull. */
export const deviceRef = /* @__PURE__ */ define(() => z.object({ id, incarnation: uuid }));
export const marks = /* @__PURE__ */ define(() => z.object({ push: z.optional(opaque), pull: z.optional(opaque) }));

/** What answers to a push and to a pull begin with. */
export const answerHead = /* @__PURE__ */ define(() => ({
  requestId: id,
  epoch: opaque,
  serverTime: moment,
  mark: opaque,
}));
