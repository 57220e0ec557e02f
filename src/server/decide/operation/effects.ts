/**
 * What a policy writes besides the operation's own row: points for the customer, a shift's total. It is written in the
 * same transaction, so it happens exactly as often as the operation does (L2).
 *
 * An effect meets no conflict and asks no policy. If it can't be carried out because of the shop's data (the customer
 * was deleted, or has more points than can be counted), that becomes a flag, and never a reason to quarantine a sale. If
 * no data could make it valid, the policy has failed.
 */
import type { Flag } from "../../../protocol/types.ts";
import { isId } from "../../../protocol/values.ts";
import { applyPatch, type LoosePatch, splitPatch } from "../../../schema/patch.ts";
import { type CounterValue, isCounterStep } from "../../../shared/counter-step.ts";
import { deepEqual, type JsonObject, jsonFault, toJson } from "../../../shared/json.ts";
import type { PolicyEffect } from "../rows/catalog.ts";
import { PolicyFailure } from "../rows/policy-failure.ts";
import { addSteps, checkData, currentRow, type RowDraft, without, writeRow } from "../rows/rows.ts";
import type { Judgement } from "./judgement.ts";
import { counterName, OUT_OF_RANGE } from "./out-of-range.ts";

/**
 * The author of an effect is the server: a till that edits the same field has not seen it, so its edit must conflict
 * [C5].
 */
const WRITER = "policy";

/** @throws PolicyFailure */
export function applyEffects(
  { ws, view, served: asked, operation }: Judgement,
  effects: readonly PolicyEffect[],
): readonly Flag[] {
  return effects.flatMap((effect) => {
    const served = view.catalog.collections.get(effect.collection);
    const fail = (what: string) =>
      new PolicyFailure(asked.name, "decide", `its effect on \`${effect.collection}\` ${what}`);
    if (served === undefined) throw fail("names no collection of the server");
    if (!isId(effect.id)) throw fail("has no valid id");
    const before = currentRow(ws, served, effect.id);
    // Not loaded yet: this run will be thrown away. The other effects still note the rows that they lack.
    if (!ws.knowsRecord(effect)) return [];
    const base = { served, id: effect.id, before, counters: before?.counters ?? {}, writer: WRITER };
    const outcome = draftOf(effect, base, fail);
    if ("flag" in outcome) return outcome.flag === undefined ? [] : [outcome.flag];
    writeRow(ws, outcome.draft, operation.id);
    return [];
  });
}

type Base = Pick<RowDraft, "served" | "id" | "before" | "counters" | "writer">;
type Outcome = { readonly draft: RowDraft } | { readonly flag: Flag | undefined };

function draftOf(effect: PolicyEffect, base: Base, fail: (what: string) => PolicyFailure): Outcome {
  if (effect.increment !== undefined) return increment(effect.increment, base, fail);
  const content = effect.create ?? effect.patch;
  if (content === undefined) throw fail("has no `create`, `patch` or `increment`");
  const fault = jsonFault(content, { allowUndefined: true });
  if (fault !== undefined) throw fail(`has ${fault.reason} at \`${fault.path}\``);
  const { counters } = base.served.resolved;
  const counter = counters.find((name) => Object.hasOwn(content, name));
  if (counter !== undefined) throw fail(`sets the counter \`${counter}\`: use \`increment\``);
  return effect.create === undefined
    ? patch(content as LoosePatch, base, fail)
    : create(toJson(content) as JsonObject, base, fail);
}

function create(data: JsonObject, base: Base, fail: (what: string) => PolicyFailure): Outcome {
  const { served, id, before } = base;
  const checked = checkData(served, id, without(data, ["id"]), base.counters);
  if (!checked.ok) throw fail(`is refused by the schema: ${checked.issues[0]?.path} ${checked.issues[0]?.message}`);
  if (before?.state === "live") {
    const same = deepEqual(without(before.data, served.resolved.assigned), checked.data);
    return { flag: same ? undefined : { code: "id_collision", message: nameOf(base) } };
  }
  return {
    draft: { ...base, state: "live", data: checked.data, isCreation: true, writtenFields: Object.keys(checked.data) },
  };
}

function patch(loose: LoosePatch, base: Base, fail: (what: string) => PolicyFailure): Outcome {
  const { served, id, before } = base;
  if (served.resolved.kind === "fact") throw fail("edits a fact");
  if (before?.state !== "live") return { flag: absence(base) };
  const { patch: set, unset } = splitPatch(loose);
  const checked = checkData(served, id, applyPatch(before.data, set, unset), before.counters);
  if (!checked.ok) throw fail(`is refused by the schema: ${checked.issues[0]?.path} ${checked.issues[0]?.message}`);
  return { draft: { ...base, state: "live", data: checked.data, writtenFields: Object.keys(loose) } };
}

function increment(by: Readonly<Record<string, unknown>>, base: Base, fail: (what: string) => PolicyFailure): Outcome {
  const steps = Object.entries(by).filter((step): step is [string, CounterValue] => step[1] !== undefined);
  if (!steps.every(([, step]) => isCounterStep(step))) {
    throw fail("increments by a value that is not a valid counter step");
  }
  const sums = addSteps(base.served, base.counters, Object.fromEntries(steps));
  if (sums.kind === "malformed") throw fail("increments a field that is not a counter, or by a step of another type");
  const { served, id, before } = base;
  if (sums.kind === "outOfRange") {
    const names = sums.faults.map(({ counter }) => counterName(served.name, id, counter));
    return { flag: { code: OUT_OF_RANGE, message: names.join(", ") } };
  }
  const { counters } = sums;
  return { draft: { ...base, counters, state: before?.state ?? "stub", data: before?.data ?? {}, writtenFields: [] } };
}

/** For edits of rows that do not exist. */
function absence(base: Base): Flag {
  return { code: base.before?.state === "deleted" ? "deleted_row" : "unknown_row", message: nameOf(base) };
}

function nameOf({ served, id }: Base): string {
  return `${served.name}/${id}`;
}
