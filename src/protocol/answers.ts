/**
 * The client's checks of a server's answers. They accept what the schemas of this folder accept; the tests compare the
 * two. They are written by hand because the schemas bring their library with them: 7 KB in the bundle of every client,
 * and twenty times the time for a full page (docs/decisions/hand-written-answer-checks.md).
 */
import { jsonFault } from "../shared/json.ts";
import { parseRfc3339 } from "../shared/rfc3339.ts";
import { PROBLEM_STATUS, type Problem } from "./codes.ts";
import type { Poke, PullResponse, PushResponse, RegisterResponse, TimeResponse } from "./types.ts";
import { isCollectionName, isId, isOpaque, isPlainObject, isReceipt, isUuid } from "./values.ts";

type Check = (value: unknown) => boolean;

/** Ignores members that are not named: a newer server may send more. */
const shape =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isPlainObject(value) && Object.entries(members).every(([name, check]) => check(value[name]));
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
/** Compares the member's value, not its text: as text, `["applied"]` would pass for `"applied"`. */
const oneOf = (member: string, ...variants: readonly (readonly [value: unknown, check: Check])[]): Check => {
  const byValue = new Map(variants);
  return (value) => isPlainObject(value) && byValue.get(value[member])?.(value) === true;
};
const from =
  (minimum: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= minimum;

// One call, which a bundler may drop with everything in it: an import of an error class must not bring it along.
const checks = /* @__PURE__ */ (() => {
  const text: Check = (value) => typeof value === "string";
  const flag: Check = (value) => typeof value === "boolean";
  const absent: Check = (value) => value === undefined;
  const count = from(0);
  const moment: Check = (value) => typeof value === "string" && parseRfc3339(value) !== undefined;
  const data: Check = (value) => isPlainObject(value) && jsonFault(value) === undefined;

  const verdict = shape({ code: text, message: text, issues: maybe(list(shape({ path: text, message: text }))) });
  const row = oneOf(
    "deleted",
    [undefined, shape({ version: count, data, schemaVersion: maybe(from(1)) })],
    [true, shape({ version: count, data: absent, schemaVersion: maybe(from(1)) })],
  );
  const head = { id: isUuid, replayed: maybe(flag), revision: maybe(count), at: maybe(count) };
  const flags = list(shape({ code: text, message: maybe(text), discrepancyId: maybe(text) }));

  const applied = {
    version: count,
    data: maybe(data),
    schemaVersion: maybe(from(1)),
    deleted: maybe(flag),
    omitted: maybe(flag),
    assigned: maybe(data),
    receipt: maybe(isReceipt),
    flags: maybe(flags),
  };
  const result = oneOf(
    "status",
    ["applied", shape({ ...head, ...applied })],
    ["conflict", shape({ ...head, conflictId: isId, fields: list(text), server: row })],
    ["rejected", shape({ ...head, error: verdict, by: maybe(isUuid), server: maybe(row) })],
    ["quarantined", shape({ ...head, error: verdict })],
    ["blocked", shape({ ...head, by: list(isUuid), missing: maybe(flag) })],
    ["retry", shape({ ...head, afterMs: maybe(count), error: verdict })],
  );

  const answer = { requestId: isId, epoch: isOpaque, serverTime: moment, mark: isOpaque, results: list(result) };

  const change = oneOf(
    "deleted",
    [undefined, shape({ id: isId, version: count, data, schemaVersion: maybe(from(1)) })],
    [
      true,
      shape({
        id: isId,
        version: count,
        data: absent,
        schemaVersion: absent,
        reason: maybe((value) => value === "scope"),
      }),
    ],
  );
  const page = shape({
    changes: list(change),
    cursor: isOpaque,
    more: flag,
    remaining: maybe(count),
    schemaVersion: maybe(from(1)),
  });
  const byCollection =
    (check: Check): Check =>
    (value) =>
      isPlainObject(value) && Object.entries(value).every(([name, one]) => isCollectionName(name) && check(one));

  const push = shape({ ...answer, moreResults: maybe(flag) });
  const pull = shape({
    ...answer,
    moreResults: maybe(flag),
    pages: byCollection(page),
    waiting: maybe(byCollection(text)),
  });
  const registration = shape({
    requestId: isId,
    tenant: isId,
    branch: maybe(isId),
    device: shape({ id: isId, registeredAt: moment, number: from(1) }),
    epoch: isOpaque,
    mark: maybe(isOpaque),
    lastSequence: count,
    unsynced: list(shape({ incarnation: isUuid, lastSequence: count, missing: count })),
    serverTime: moment,
  });
  const problem = shape({
    type: text,
    title: text,
    status: (value) => Number.isSafeInteger(value) && (value as number) >= 400 && (value as number) <= 599,
    detail: text,
    code: (value) => typeof value === "string" && Object.hasOwn(PROBLEM_STATUS, value),
    requestId: isId,
    epoch: maybe(isOpaque),
    collections: maybe(list(isCollectionName)),
  });
  const poke = shape({
    collections: (value) => Array.isArray(value) && value.length <= 1_000 && value.every(isCollectionName),
  });
  const time = shape({ serverTime: moment });
  return { push, pull, registration, problem, poke, time };
})();

export const isPushResponse = (value: unknown): value is PushResponse => checks.push(value);
export const isPullResponse = (value: unknown): value is PullResponse => checks.pull(value);
export const isRegisterResponse = (value: unknown): value is RegisterResponse => checks.registration(value);
export const isTimeResponse = (value: unknown): value is TimeResponse => checks.time(value);
export const isProblem = (value: unknown): value is Problem => checks.problem(value);
export const isPoke = (value: unknown): value is Poke => checks.poke(value);
