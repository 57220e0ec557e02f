/**
 * Wire transactions [C1]: operations that take effect together.
 *
 *   commercial   facts and increments; can't be rejected: all are applied, or all are quarantined. A step for which its
 *   counter has no room is quarantined alone
 *   editorial    edits of records; a member that fails keeps its own result, and its siblings wait until it is
 *   superseded
 */
import { LIMITS } from "../../protocol/constants.ts";
import type { FinalResult, OperationResult } from "../../protocol/types.ts";
import type { OperationRow } from "../ports/rows.ts";
import { evaluate } from "./operation/evaluate.ts";
import { knownTo } from "./operation/known-to.ts";
import { flagFacts, isLeftOut } from "./operation/out-of-range.ts";
import { headOf, type PreparedOperation } from "./operation/prepared-operation.ts";
import { keptAside, recordResult, storedAnswer } from "./operation/record-result.ts";
import { applySiblings, discardSiblings, givesUpFact, siblingsOf } from "./operation/siblings.ts";
import { blocked, isCommercial, isFinal, quarantined, rejectedOrQuarantined, retry } from "./operation/verdicts.ts";
import type { Catalog } from "./rows/catalog.ts";
import type { Viewpoint } from "./rows/sender.ts";
import { visibleState } from "./rows/visible-state.ts";
import type { WorkingSet } from "./rows/working-set.ts";

export interface Unit {
  readonly kind: "single" | "commercial" | "editorial";
  readonly members: readonly PreparedOperation[];
}

/** The units of a push, in the order in which they were sent. A transaction takes the place of its first member. */
export function unitsOf(catalog: Catalog, operations: readonly PreparedOperation[]): readonly Unit[] {
  const groups = new Map<string, PreparedOperation[]>();
  for (const operation of operations) {
    const { transaction } = headOf(operation);
    if (transaction === undefined) continue;
    const group = groups.get(transaction);
    if (group === undefined) groups.set(transaction, [operation]);
    else group.push(operation);
  }
  const units: Unit[] = [];
  const placed = new Set<string>();
  for (const operation of operations) {
    const { transaction } = headOf(operation);
    if (transaction === undefined) {
      units.push({ kind: "single", members: [operation] });
      continue;
    }
    const group = groups.get(transaction) ?? [operation];
    const isSale = group.some((member) => member.raw.action !== "void" && isCommercial(catalog, member.raw));
    if (isSale && !belongsToSale(catalog, operation)) {
      // A mixed transaction: the sale must not depend on the edit, so the edit is judged as if it had been sent without
      // `transaction`.
      units.push({ kind: "single", members: [operation] });
    } else if (!placed.has(transaction)) {
      placed.add(transaction);
      const members = isSale ? group.filter((member) => belongsToSale(catalog, member)) : group;
      units.push({ kind: isSale ? "commercial" : "editorial", members });
    }
  }
  return units;
}

function belongsToSale(catalog: Catalog, { raw }: PreparedOperation): boolean {
  return raw.action === "void" || isCommercial(catalog, raw);
}

export function judgeUnit(ws: WorkingSet, view: Viewpoint, unit: Unit): readonly OperationResult[] {
  const replayed: OperationResult[] = [];
  const fresh: PreparedOperation[] = [];
  for (const member of unit.members) {
    const stored = knownTo(ws, view, member.id);
    if (stored === undefined) fresh.push(member);
    else replayed.push(storedAnswer(ws, view, member, stored));
  }
  if (fresh.length === 0) return replayed;
  const results = judgeFresh(ws, view, unit, fresh);
  // The sale whose id was taken comes again with the others: alone they would be judged as if it were not theirs.
  const isTaken = takenMember(ws, unit) !== undefined && !areFinal(results);
  return isTaken ? waitTogether([...replayed, ...results]) : [...replayed, ...results];
}

function judgeFresh(
  ws: WorkingSet,
  view: Viewpoint,
  unit: Unit,
  fresh: readonly PreparedOperation[],
): readonly OperationResult[] {
  if (isTooLarge(unit)) {
    const message = `A transaction has at most ${LIMITS.transactionOperations} operations and ${LIMITS.transactionBytes} bytes`;
    return fresh.map((member) =>
      recordResult(ws, view, member, rejectedOrQuarantined(view.catalog, member.raw, { code: "too_large", message })),
    );
  }
  const savepoint = ws.savepoint();
  const failedBefore = unit.kind === "editorial" ? failedMember(ws, unit, fresh) : undefined;
  if (failedBefore !== undefined) return fresh.map((member) => blocked(member, [failedBefore]));

  const siblings = siblingsOf(ws, view, fresh);
  const results = fresh.map((member) => {
    const result = evaluate(ws, view, member);
    // Recorded at once, so that the next member sees it. If the unit does not take effect, all of it is rolled back.
    return isFinal(result) ? recordResult(ws, view, member, result) : result;
  });
  if (!areFinal(results)) {
    if (unit.kind === "single") return results;
    ws.rollback(savepoint);
    return waitTogether(results);
  }
  if (unit.kind === "editorial") {
    const failed = results.find(({ status }) => status !== "applied");
    if (failed === undefined) {
      settleSiblings(ws, view, siblings, { fresh, results });
      return results;
    }
    ws.rollback(savepoint);
    return fresh.map((member, index) => {
      const result = results[index] as FinalResult;
      if (result.status === "applied") return blocked(member, [failed.id]);
      return recordResult(ws, view, member, withRowAsItIs(ws, view, member, result));
    });
  }
  const culprit =
    takenMember(ws, unit) ??
    results.find((result, index) => result.status === "quarantined" && !isLeftOut(fresh[index]?.raw, result))?.id ??
    settleSiblings(ws, view, siblings, { fresh, results });
  if (culprit === undefined) {
    flagFacts(
      ws,
      view.catalog,
      [...fresh, ...siblings].map(({ id }) => id),
    );
    // As they were just written, with all their rows: copies are spared when the whole push was judged.
    return results.map((result) => (ws.operation(result.id)?.result as FinalResult | undefined) ?? result);
  }
  // One that is quarantined alone keeps its own reason.
  if (results.every(({ id }) => id === culprit)) return results;
  ws.rollback(savepoint);
  return fresh.map((member, index) =>
    recordResult(ws, view, member, quarantinedWith(culprit, member, results[index] as FinalResult)),
  );
}

interface Judged {
  readonly fresh: readonly PreparedOperation[];
  readonly results: readonly FinalResult[];
}

/**
 * What becomes of the siblings of the operations that the unit has replaced. Returns the id of a sibling that can't be
 * applied: then nothing of the unit is.
 */
function settleSiblings(
  ws: WorkingSet,
  view: Viewpoint,
  siblings: readonly OperationRow[],
  { fresh, results }: Judged,
): string | undefined {
  const takenBy = fresh.at(-1)?.id ?? "";
  // A void in the unit may have closed one of them: that takes effect no more [C3].
  const left = siblings.filter(({ id }) => ws.operation(id)?.supersededBy === undefined);
  if (fresh.some((member, index) => givesUpFact(view, member, results[index] as FinalResult))) {
    discardSiblings(ws, view, left, takenBy);
    return undefined;
  }
  // What gives something up books nothing: the others go on waiting for people.
  const books = fresh.some(({ raw }, index) => {
    const result = results[index];
    // A step that was left out of its sum counts as one that was applied: the sale does not wait for it.
    return raw.action !== "void" && (result?.status === "applied" || (result !== undefined && isLeftOut(raw, result)));
  });
  return books ? applySiblings(ws, view, left, takenBy) : undefined;
}

function isTooLarge({ kind, members }: Unit): boolean {
  if (kind === "single") return false;
  const bytes = members.reduce((sum, member) => sum + member.bytes, 0);
  return members.length > LIMITS.transactionOperations || bytes > LIMITS.transactionBytes;
}

/** A member that failed in an earlier delivery still blocks its siblings, until another operation supersedes it. */
function failedMember(ws: WorkingSet, unit: Unit, fresh: readonly PreparedOperation[]): string | undefined {
  const superseded = new Set(fresh.flatMap(({ parsed }) => (parsed.ok ? (parsed.value.supersedes ?? []) : [])));
  return unit.members.find(({ id }) => {
    const stored = ws.operation(id);
    return (
      stored !== undefined && stored.status !== "applied" && stored.supersededBy === undefined && !superseded.has(id)
    );
  })?.id;
}

/** A member of a sale whose id was taken: it waits for people, so the sale is not in the books, nor is any part of it [C1]. */
function takenMember(ws: WorkingSet, { kind, members }: Unit): string | undefined {
  if (kind !== "commercial") return undefined;
  for (const member of members) {
    const kept = keptAside(ws, member);
    if (kept !== undefined) return kept;
  }
  return undefined;
}

function areFinal(results: readonly OperationResult[]): results is readonly FinalResult[] {
  return results.every(isFinal);
}

/** If one member must wait, all of them wait. */
function waitTogether(results: readonly OperationResult[]): readonly OperationResult[] {
  const waiting = results.find((result) => !isFinal(result));
  return results.map((result) => {
    if (waiting === undefined || !isFinal(result)) return result;
    if (waiting.status === "retry") return retry(result, waiting.error.code, waiting.error.message, waiting.afterMs);
    return blocked(result, [waiting.id]);
  });
}

/**
 * A member that could have been applied alone is quarantined because of the culprit. A step that would have been left out
 * of its sum is, too: only where the sale is in the books does it stand alone.
 */
function quarantinedWith(culprit: string, { raw }: PreparedOperation, result: FinalResult): FinalResult {
  if (result.status !== "applied" && !isLeftOut(raw, result)) return result;
  return quarantined(result, "transaction_quarantined", `${culprit} of the same transaction was quarantined`);
}

/** The result with the row as it is after the rollback, without the changes of the siblings. */
function withRowAsItIs(
  ws: WorkingSet,
  view: Viewpoint,
  { parsed }: PreparedOperation,
  result: FinalResult,
): FinalResult {
  if (!parsed.ok || !("server" in result)) return result;
  const server = visibleState(ws, view, parsed.value);
  if (result.status === "conflict") return { ...result, server: server ?? { version: 0, deleted: true } };
  const { server: _before, ...rest } = result;
  return server === undefined ? rest : { ...rest, server };
}
