/**
 * Asks a collection's policy about one operation, and checks what it returns. A policy is the application's code:
 * whatever it does must affect only this operation. So its input is frozen, and its output is checked at run time.
 */
import { LIMITS } from "../../../protocol/constants.ts";
import type { Flag, VerdictIssue, WireOperation } from "../../../protocol/types.ts";
import { describe } from "../../../shared/errors.ts";
import { deepFreeze, type JsonObject, jsonBytes, jsonFault, toJson } from "../../../shared/json.ts";
import { parseRfc3339 } from "../../../shared/rfc3339.ts";
import type { Catalog, PolicyEffect, PolicyVerdict, ServedCollection } from "../rows/catalog.ts";
import { PolicyFailure } from "../rows/policy-failure.ts";
import { currentRow, recordOf } from "../rows/rows.ts";
import type { Sender } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import type { Acknowledgement, Judgement } from "./judgement.ts";
import { isCommercial } from "./verdicts.ts";

export interface PolicyQuestion {
  /** The operation's `data`, `patch` or `by`, in the current schema. */
  readonly content: Readonly<Record<string, unknown>>;
  readonly current: JsonObject | undefined;
  readonly next: JsonObject | undefined;
  /**
   * The operation was applied in a history that is lost [C8.5]: a refusal is ignored, and its assigned values remain
   * valid.
   */
  readonly acknowledged: Acknowledgement | undefined;
}

const NOTHING: Extract<PolicyVerdict, { outcome: "applied" }> = {
  outcome: "applied",
  assigned: {},
  without: [],
  flags: [],
  discrepancies: [],
  effects: [],
};

/** @throws PolicyFailure */
export function askPolicy(judgement: Judgement, question: PolicyQuestion): PolicyVerdict {
  const { ws, view, served } = judgement;
  const { decide } = served.policy;
  if (decide === undefined) return NOTHING;
  const { content, current, next, acknowledged } = question;
  const operation = policyOperation(judgement.operation, content);
  const named = namedRows(judgement, operation);
  const rows = readRows(ws, view.catalog, named);
  // If its own rows are not loaded, this run is thrown away, and the policy is not asked. Rows that other operations
  // lack do not matter: waiting for those too would cost one run for each operation.
  const needed = [...named, { collection: served.name, id: judgement.operation.entityId }];
  if (!needed.every((row) => ws.knowsRecord(row))) return NOTHING;
  const input = {
    operation,
    current: deepFreeze(current),
    next: deepFreeze(next),
    principal: view.principal,
    rows,
    receivedAt: view.receivedAt,
    epoch: ws.clock.epochOrdinal,
    ...(acknowledged !== undefined && { acknowledged: { assigned: acknowledged.assigned } }),
    ...(view.released === true && { released: true }),
  };
  let answer: unknown;
  try {
    answer = decide(input);
  } catch (cause) {
    throw new PolicyFailure(served.name, "decide", cause);
  }
  const verdict = checkVerdict(served, answer);
  if (verdict.outcome === "applied") return verdict;
  const isRefusal = verdict.outcome === "rejected" && !isCommercial(view.catalog, judgement.operation);
  if (view.released === true && !isRefusal)
    return { ...NOTHING, flags: [{ code: verdict.code, message: verdict.message }] };
  return acknowledged === undefined ? verdict : NOTHING;
}

function policyOperation(operation: WireOperation, content: PolicyQuestion["content"]): object {
  const { id, entityId, actor, action, occurredAt } = operation;
  return deepFreeze({ id, entityId, actor, occurredAt: parseRfc3339(occurredAt) ?? 0, action, ...content });
}

/**
 * A guess at the rows that the policy will name, made from the operation as it was received. It saves a run of the
 * decision. A policy that fails on data that no schema has checked is asked again later, with checked data.
 */
export function guessNamedRows({
  view,
  served,
  operation,
}: PolicyCase & Pick<Judgement, "operation">): readonly Named[] {
  if (served.policy.reads === undefined || served.policy.decide === undefined) return [];
  try {
    const guess =
      operation.action === "create" ? { data: { ...operation.data, id: operation.entityId } } : contentOf(operation);
    return namedRows({ view, served }, policyOperation(operation, guess));
  } catch {
    return [];
  }
}

export function contentOf(operation: WireOperation): Readonly<Record<string, unknown>> {
  switch (operation.action) {
    case "create":
      return { data: operation.data };
    case "update": {
      const removed = Object.fromEntries((operation.unset ?? []).map((name) => [name, undefined]));
      return { patch: { ...operation.patch, ...removed } };
    }
    case "increment":
      return { by: operation.by };
    default:
      return {};
  }
}

interface Named {
  readonly collection: string;
  readonly id: string;
}

/** Whose policy is asked, and about whose operation. */
interface PolicyCase {
  readonly view: Pick<Sender, "catalog" | "principal">;
  readonly served: ServedCollection;
}

function namedRows({ view, served }: PolicyCase, operation: object): readonly Named[] {
  const { reads } = served.policy;
  if (reads === undefined) return [];
  let answer: unknown;
  try {
    answer = reads({ operation, principal: view.principal });
  } catch (cause) {
    throw new PolicyFailure(served.name, "reads", cause);
  }
  if (!isObject(answer)) throw new PolicyFailure(served.name, "reads", `it returned ${describe(answer)}`);
  return Object.entries(answer).flatMap(([collection, ids]) => {
    if (ids === undefined) return [];
    if (!view.catalog.collections.has(collection) || !Array.isArray(ids)) {
      throw new PolicyFailure(served.name, "reads", `\`${collection}\` is not a collection with a list of ids`);
    }
    return ids.filter((id: unknown) => typeof id === "string").map((id: string) => ({ collection, id }));
  });
}

/** Rows of any branch: a policy is the shop's own code, and the rows that it reads are not sent to the till. */
function readRows(ws: WorkingSet, catalog: Catalog, named: readonly Named[]): object {
  const rows = Object.create(emptyRows(catalog)) as Record<string, Map<string, JsonObject>>;
  for (const { collection, id } of named) {
    const served = catalog.collections.get(collection);
    const row = served === undefined ? undefined : currentRow(ws, served, id);
    if (served === undefined || row?.state !== "live") continue;
    const known = Object.hasOwn(rows, collection) ? rows[collection] : undefined;
    const map = known ?? new Map<string, JsonObject>();
    if (known === undefined) rows[collection] = map;
    map.set(id, deepFreeze(recordOf(served, row)));
  }
  return rows;
}

// An empty map for each collection, so a policy never meets `undefined`. They are made once and used as a prototype:
// there may be sixty of them, and every operation would pay for them.
const knownEmpty = /* @__PURE__ */ new WeakMap<Catalog, object>();
const NO_ROWS: ReadonlyMap<string, JsonObject> = /* @__PURE__ */ new Map();

function emptyRows(catalog: Catalog): object {
  let empty = knownEmpty.get(catalog);
  if (empty === undefined) {
    empty = Object.fromEntries(catalog.order.map((name) => [name, NO_ROWS]));
    knownEmpty.set(catalog, empty);
  }
  return empty;
}

function checkVerdict(served: ServedCollection, answer: unknown): PolicyVerdict {
  const wrong = (what: string) => new PolicyFailure(served.name, "decide", what);
  if (!isObject(answer)) throw wrong(`it returned ${describe(answer)}`);
  if (typeof answer.then === "function") {
    // The promise is not awaited: its rejection must not surface as an unhandled one.
    (answer as unknown as PromiseLike<unknown>).then(undefined, () => {});
    throw wrong("it returned a promise, but a decision is synchronous");
  }
  if (answer.outcome === "rejected" || answer.outcome === "quarantined") {
    const { outcome, code, message, issues } = answer;
    if (typeof code !== "string" || typeof message !== "string")
      throw wrong(`it returned \`${outcome}\` without a code or a message`);
    return { outcome, code, message, ...(isIssues(issues) && { issues }) };
  }
  if (answer.outcome !== "applied") throw wrong(`its outcome is ${describe(answer.outcome)}`);
  return {
    outcome: "applied",
    assigned: checkAssigned(served, answer.assigned ?? {}),
    without: checkWithout(served, list(answer.without)),
    flags: list(answer.flags).map((flag): Flag => {
      if (!isObject(flag) || typeof flag.code !== "string") throw wrong("it returned a flag without a code");
      return typeof flag.message === "string" ? { code: flag.code, message: flag.message } : { code: flag.code };
    }),
    discrepancies: list(answer.discrepancies).map((found) => {
      if (!isObject(found)) throw wrong("a discrepancy must be an object");
      const { product, expected, available } = found;
      if (typeof product !== "string" || !Number.isFinite(expected) || !Number.isFinite(available)) {
        throw wrong("a discrepancy must have a `product`, and numbers for `expected` and `available`");
      }
      return { product, expected: expected as number, available: available as number };
    }),
    effects: list(answer.effects).map((effect) => {
      if (!isObject(effect) || typeof effect.id !== "string" || typeof effect.collection !== "string") {
        throw wrong("an effect must name a collection and an id");
      }
      return effect as unknown as PolicyEffect;
    }),
  };
}

/** The values that the policy assigns: only declared fields, and only JSON. */
function checkAssigned(served: ServedCollection, assigned: unknown): JsonObject {
  const wrong = (what: string) => new PolicyFailure(served.name, "decide", what);
  if (!isObject(assigned)) throw wrong(`\`assigned\` is ${describe(assigned)}`);
  const stray = Object.keys(assigned).find((name) => !served.resolved.assigned.includes(name));
  if (stray !== undefined) throw wrong(`\`${stray}\` is not declared as assigned`);
  const fault = jsonFault(assigned, { allowUndefined: true });
  if (fault !== undefined) throw wrong(`\`assigned.${fault.path}\` is ${fault.reason}`);
  const value = toJson(assigned) as JsonObject;
  const bytes = jsonBytes(JSON.stringify(value));
  if (bytes > LIMITS.assignedBytes) throw wrong(`\`assigned\` has ${bytes} bytes, more than ${LIMITS.assignedBytes}`);
  return value;
}

/**
 * Only for facts: an edit without one of its fields is a different edit, and till and server would disagree on who
 * wrote the field.
 */
function checkWithout(served: ServedCollection, names: readonly unknown[]): readonly string[] {
  const wrong = (what: string) => new PolicyFailure(served.name, "decide", what);
  if (names.length > 0 && served.resolved.kind !== "fact") throw wrong("`without` is only for facts");
  return names.map((name) => {
    if (typeof name !== "string") throw wrong("`without` must list names of fields");
    return name;
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isIssues(value: unknown): value is readonly VerdictIssue[] {
  return (
    Array.isArray(value) &&
    value.every((issue) => isObject(issue) && typeof issue.path === "string" && typeof issue.message === "string")
  );
}
