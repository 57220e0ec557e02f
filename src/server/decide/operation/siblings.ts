/**
 * What superseding a member of a quarantined commercial transaction does to its other members [C1]. No half of a sale
 * is ever in the books, so the successor is applied only together with them.
 */
import type { FinalResult } from "../../../protocol/types.ts";
import { isOpenQuarantine, type OperationRow } from "../../ports/rows.ts";
import { isFact } from "../rows/catalog.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { boundTo, isSetAside, nameTooMany } from "./bound.ts";
import { evaluate } from "./evaluate.ts";
import { isLeftOut } from "./out-of-range.ts";
import type { PreparedOperation } from "./prepared-operation.ts";
import { prepareStored, revise } from "./revise.ts";
import { markSuperseded, targetsOf } from "./supersede.ts";
import { isCommercial, isFinal, quarantined } from "./verdicts.ts";

/**
 * The operations in quarantine that are bound to what these successors replace, and that none of them replaces. To be
 * asked before the successors are judged, because they close what they replace.
 */
export function siblingsOf(
  ws: WorkingSet,
  sender: Pick<Viewpoint, "catalog" | "device">,
  successors: readonly PreparedOperation[],
): readonly OperationRow[] {
  const replaced = new Set<string>();
  for (const { parsed } of successors) {
    if (!parsed.ok || !isCommercial(sender.catalog, parsed.value)) continue;
    for (const id of targetsOf(ws, sender, parsed.value)) replaced.add(id);
  }
  const aside: OperationRow[] = [];
  for (const id of replaced) {
    const target = ws.operation(id);
    if (target !== undefined && isSetAside(target)) aside.push(target);
  }
  return boundTo(ws, aside).filter(({ id }) => !replaced.has(id));
}

/**
 * Applies the siblings of successors that were applied. Returns the id of the one that can't be, if there is one: then
 * the caller takes everything back. A step for which its counter has no room is no such one: it goes on waiting, alone.
 */
export function applySiblings(
  ws: WorkingSet,
  view: Viewpoint,
  siblings: readonly OperationRow[],
  takenBy: string,
): string | undefined {
  // More than can be judged again: people decide.
  if (nameTooMany(siblings)) return siblings[0]?.id;
  let culprit: string | undefined;
  ws.noteFollowed(siblings.length);
  for (const row of siblings) {
    const { device, incarnation } = row;
    const principal = { ...view.principal, device, actor: row.sentBy };
    const own: Viewpoint = { ...view, principal, device, incarnation };
    const prepared = prepareStored(row);
    const result = evaluate(ws, own, prepared);
    if (!isFinal(result) || (result.status !== "applied" && !isLeftOut(row.operation, result))) {
      culprit ??= row.id;
      // This run is thrown away: the others still note what they lack, or each would cost a run of the whole push (L12).
      if (ws.lacksRows) continue;
      return culprit;
    }
    if (prepared.parsed.ok) markSuperseded(ws, own, prepared.parsed.value, result);
    revise(ws, row, result, { takenBy, at: view.receivedAt });
  }
  if (culprit !== undefined) return culprit;
  commit(ws, view, siblings, { kind: "release", takenBy });
  return undefined;
}

/** Discards the siblings of a fact that was given up: released alone, they would be a payment without its sale. */
export function discardSiblings(
  ws: WorkingSet,
  view: Viewpoint,
  siblings: readonly OperationRow[],
  takenBy: string,
): void {
  // What was discarded before stays as it is: of 250 members that are given up one by one, each would write all others.
  const open = siblings.filter(isOpenQuarantine);
  for (const row of open) {
    const result = quarantined(row, "discarded", "It was given up with another member of its transaction");
    revise(ws, row, result, { takenBy, at: view.receivedAt });
  }
  commit(ws, view, open, { kind: "discard", takenBy });
}

/** The next mark must point at a row that has its position. The commit has the id of the operation that caused it. */
function commit(
  ws: WorkingSet,
  { principal, receivedAt }: Viewpoint,
  siblings: readonly OperationRow[],
  { kind, takenBy }: { readonly kind: "release" | "discard"; readonly takenBy: string },
): void {
  if (siblings.length === 0) return;
  ws.putCommit({ id: takenBy, position: ws.take(takenBy), kind, actor: principal.actor, at: receivedAt });
}

/** Whether the operation gives up a fact. Giving up a step of a counter leaves the facts of its transaction as they are. */
export function givesUpFact({ catalog }: Viewpoint, { parsed }: PreparedOperation, result: FinalResult): boolean {
  if (!parsed.ok || parsed.value.action !== "void" || result.status !== "applied") return false;
  return isFact(catalog, parsed.value.collection);
}
