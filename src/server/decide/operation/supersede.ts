/**
 * Superseding [C3]: an operation, the successor, takes the place of the targets that it names in `supersedes`. A target
 * can't take effect any more, not even if the server has never seen it. It is superseded only once, by a till or by the
 * back office.
 */
import { isCut } from "../../../protocol/chain.ts";
import type {
  FinalResult,
  QuarantinedResult,
  RejectedResult,
  RowState,
  WireOperation,
} from "../../../protocol/types.ts";
import { deepEqual } from "../../../shared/json.ts";
import type { ConflictRow, OperationRow } from "../../ports/rows.ts";
import { branchOf, inScope } from "../rows/scope.ts";
import { originOf, type Sender, type Viewpoint } from "../rows/sender.ts";
import { visibleState } from "../rows/visible-state.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { knownTo } from "./known-to.ts";
import { mayReplace } from "./rights.ts";
import { rejected, rejectedOrQuarantined } from "./verdicts.ts";

/**
 * The refusal, if the successor may not take the place of its targets: a target belongs to another row or branch, or it
 * is too late.
 */
export function supersedeRefusal(
  ws: WorkingSet,
  view: Viewpoint,
  successor: WireOperation,
): RejectedResult | QuarantinedResult | undefined {
  const targets = targetsOf(ws, view, successor);
  for (const id of targets) {
    const target = knownTo(ws, view, id);
    if (target === undefined) continue;
    // A void of a target in another collection would need that collection's rights; on another row, it would close that
    // row's desk entry.
    if (!isOnRowOf(target, successor)) return foreignTarget(view, successor, { code: "malformed", whose: "row", id });
    if (!isOfBranch(view, target)) {
      return foreignTarget(view, successor, { code: "out_of_scope", whose: "branch", id });
    }
    if (target.status === "applied") {
      const message = "What it supersedes has taken effect";
      return tooLate(ws, view, successor, { code: "already_applied", by: id, message });
    }
    const { supersededBy: by } = target;
    // An earlier target may have been superseded by a later one of the same list: the last one counts.
    if (by !== undefined && by !== successor.id && !targets.includes(by)) {
      const message = "Another operation already superseded the target";
      return tooLate(ws, view, successor, { code: "already_superseded", by, message });
    }
    if (!mayReplace(view, target)) {
      return foreignTarget(view, successor, { code: "not_permitted", whose: "device", id });
    }
  }
  return undefined;
}

/**
 * The ids that the operation takes the place of. A list that was cut replaces whatever has taken the place of its first
 * id too: each operation of the chain names that one, so at most one of them can ever take effect.
 */
export function targetsOf(
  ws: WorkingSet,
  sender: Pick<Sender, "device">,
  { supersedes = [] }: Pick<WireOperation, "supersedes">,
): readonly string[] {
  const [first] = supersedes;
  if (first === undefined || !isCut(supersedes)) return supersedes;
  const by = knownTo(ws, sender, first)?.supersededBy;
  const holder = by === undefined ? undefined : ws.operation(by);
  // What was applied, or replaced by the office, is not replaced any more.
  if (holder === undefined || holder.status === "applied" || holder.supersededBy !== undefined) return supersedes;
  return supersedes.includes(holder.id) ? supersedes : [...supersedes, holder.id];
}

/** A malformed target may name neither collection nor row: then there is no objection. */
function isOnRowOf(target: OperationRow, { collection, entityId }: WireOperation): boolean {
  return (
    (target.collection === "" || target.collection === collection) &&
    (target.entityId === "" || target.entityId === entityId)
  );
}

/** A till of one branch can't supersede what the people of another branch decide about (L9). */
function isOfBranch({ principal }: Viewpoint, target: OperationRow): boolean {
  return principal.branch === undefined || inScope(principal, branchOf(target));
}

function foreignTarget(
  { catalog }: Viewpoint,
  successor: WireOperation,
  {
    code,
    whose,
    id,
  }: { code: "malformed" | "out_of_scope" | "not_permitted"; whose: "row" | "branch" | "device"; id: string },
): RejectedResult | QuarantinedResult {
  const message = `It supersedes an operation of another ${whose}`;
  const issues = [{ path: "supersedes", message: id }];
  // A void is not a fact: it contains nothing that people would have to look at.
  if (successor.action === "void") return rejected(successor, code, message, { issues });
  return rejectedOrQuarantined(catalog, successor, { code, message, issues });
}

function tooLate(
  ws: WorkingSet,
  view: Viewpoint,
  successor: WireOperation,
  { code, by, message }: { code: "already_applied" | "already_superseded"; by: string; message: string },
): RejectedResult {
  return rejected(successor, code, message, { by, server: visibleState(ws, view, successor) });
}

/**
 * Whether the operation was rejected because another one had superseded its targets, or because a target had been
 * applied.
 */
export function cameTooLate(result: { readonly status: string; readonly error?: { readonly code: string } }): boolean {
  return result.status === "rejected" && /^already_(applied|superseded)$/.test(result.error?.code ?? "");
}

/** The sender may not do this: its operation supersedes nothing until people release it. */
const SENDER_MAY_NOT = ["device_revoked", "branch_mismatch", "not_permitted", "out_of_scope"];

/**
 * Whether the successor takes the place of its targets. A successor that was refused does too, because the till gave up
 * the targets for it. There are two exceptions: a void counts only if it is applied, and nothing takes the place of
 * what has been applied (L11).
 */
function takesPlace(ws: WorkingSet, view: Viewpoint, successor: WireOperation, result: FinalResult): boolean {
  if (result.status === "applied") return true;
  if (successor.action === "void") return false;
  if ("error" in result && SENDER_MAY_NOT.includes(result.error.code)) return false;
  // It may have been refused before its targets were looked at, for example as too large.
  return supersedeRefusal(ws, view, successor) === undefined;
}

/** Marks all targets as superseded, if the successor takes their place. */
export function markSuperseded(ws: WorkingSet, view: Viewpoint, successor: WireOperation, result: FinalResult): void {
  const targets = targetsOf(ws, view, successor);
  if (targets.length === 0 || !takesPlace(ws, view, successor, result)) return;
  for (const [index, id] of targets.entries()) {
    const target = knownTo(ws, view, id);
    if (target === undefined) {
      // By the first id every operation of a chain is known. Room for the others is limited (L12).
      if (index === 0 || ws.takePlaceholder()) ws.putOperation(placeholder(ws, view, successor, id));
    } else if (target.supersededBy !== successor.id) {
      const feedPosition = ws.take(successor.id);
      ws.putOperation(revisedAsSuperseded(target, { by: successor.id, feedPosition, at: view.receivedAt }));
      closeConflict(ws, view, successor, id);
    }
  }
}

export interface Supersession {
  /** The successor's id, or that of the office's commit. */
  readonly by: string;
  readonly feedPosition: number;
  readonly at: number;
  readonly server?: RowState | undefined;
}

/** The revised result reaches the target's own device, because it has a new feed position [H3]. */
export function revisedAsSuperseded(
  target: OperationRow,
  { by, feedPosition, at, server }: Supersession,
): OperationRow {
  const revision = target.revision + 1;
  const result = rejected(target, "superseded", "Another operation has taken its place", { by, server });
  return {
    ...target,
    status: "rejected",
    supersededBy: by,
    revision,
    feedPosition,
    result: { ...result, revision, at },
  };
}

/** For a target that was never seen: if it arrives after all, this is its result, and it never takes effect. */
function placeholder(ws: WorkingSet, view: Viewpoint, successor: WireOperation, id: string): OperationRow {
  const position = ws.take(id);
  return {
    id,
    device: view.device,
    incarnation: view.incarnation,
    sequence: undefined,
    collection: successor.collection,
    entityId: successor.entityId,
    transaction: undefined,
    hash: "",
    status: "rejected",
    version: 0,
    position,
    feedPosition: position,
    revision: 0,
    supersededBy: successor.id,
    result: {
      ...rejected({ id }, "superseded", "Another operation took its place before it arrived", { by: successor.id }),
      at: view.receivedAt,
    },
    operation: undefined,
    receivedAt: view.receivedAt,
    ...originOf(view),
  };
}

/**
 * The target's conflict is settled with it [C3]: a conflict that could be settled twice could be settled in two ways.
 */
function closeConflict(ws: WorkingSet, view: Viewpoint, successor: WireOperation, target: string): void {
  const conflict = ws.conflictOf(target);
  if (conflict === undefined || conflict.settled !== undefined) return;
  const by = view.principal.actor ?? successor.actor ?? view.device;
  ws.putConflict({
    ...conflict,
    settled: { choice: choiceOf(conflict, successor), by, at: view.receivedAt, note: undefined },
  });
}

function choiceOf(conflict: ConflictRow, successor: WireOperation): "server" | "client" | "merged" {
  if (successor.action === "void") return "server";
  if (successor.action === "delete") return "client";
  const edit = successor.action === "update" ? successor.patch : successor.action === "create" ? successor.data : {};
  return deepEqual(edit, conflict.client) ? "client" : "merged";
}
