/** Decides a whole push: unit after unit, over one working set, with one result for each operation. */
import type { OperationResult } from "../../protocol/types.ts";
import { referencesIn } from "../../schema/references.ts";
import type { OperationRow } from "../ports/rows.ts";
import type { Introduction } from "./admission.ts";
import { Copies, forgetCopies, sparingCopies } from "./copies.ts";
import { type NeedsEpoch, needsEpoch, standingOf } from "./epoch.ts";
import { MAX_FOLLOWED, nameTooMany } from "./operation/bound.ts";
import { knownTo } from "./operation/known-to.ts";
import { unmet } from "./operation/order.ts";
import { guessNamedRows } from "./operation/policy.ts";
import { headOf, type PreparedOperation } from "./operation/prepared-operation.ts";
import { prepareStored } from "./operation/revise.ts";
import { siblingsOf } from "./operation/siblings.ts";
import {
  answerBytesOf,
  exceedsQuota,
  LOADED_BYTES,
  nextReach,
  putOffResult,
  quarantineFull,
  type WithinBudget,
  withinBudget,
} from "./push-budget.ts";
import { knownDevice, mayEnrol, noteReceived } from "./rows/devices.ts";
import { ownResults } from "./rows/feed.ts";
import { type Mark, markOf } from "./rows/marks.ts";
import type { Touched } from "./rows/scope.ts";
import type { Sender, Viewpoint } from "./rows/sender.ts";
import { recordKey, type WorkingSet } from "./rows/working-set.ts";
import { judgeUnit, type Unit, unitsOf } from "./transaction.ts";

export interface PushInput extends Introduction {
  readonly operations: readonly PreparedOperation[];
  /** The size of the request's body, inflated. */
  readonly sentBytes: number;
  /** How many bytes of rows may be kept with what it leads to: see {@link copyBytesOf}. */
  readonly copyBytes: number;
}

export interface PushAnswer {
  readonly kind: "answered";
  readonly epoch: string;
  readonly results: readonly OperationResult[];
  /** The payload identities of those results whose operations the push did not bring. */
  readonly hashes: ReadonlyMap<string, string>;
  /** The device has further results, whose effects may be in the rows of these. */
  readonly moreResults: boolean;
  readonly mark: Mark;
  /** Where something has changed that other tills will want to pull. */
  readonly touched: readonly Touched[];
}

export type PushOutcome =
  | PushAnswer
  | { readonly kind: "stale"; readonly epoch: string }
  | { readonly kind: "wrong_workspace" }
  | { readonly kind: "throttled" }
  | { readonly kind: "fork"; readonly sequence: number }
  | NeedsEpoch;

export function decidePush(ws: WorkingSet, input: PushInput): PushOutcome {
  const { session, operations } = input;
  if (!ws.hasClock) return needsEpoch(ws);
  const standing = standingOf(ws, input.epoch, input.marks);
  if (standing === "restored") return needsEpoch(ws);
  if (standing === "stale") return { kind: "stale", epoch: ws.clock.epoch };
  if (standing !== "current") return { kind: standing };
  if (!mayEnrol(ws, session)) return { kind: "throttled" };
  const forked = forkedSequence(ws, session.incarnation, operations);
  if (forked !== undefined) {
    const { device, incarnation } = session;
    const { sequence, operation } = forked;
    const fields = { code: "identity_fork", device, incarnation, operation, sequence };
    ws.log("info", "Two stores use one identity; the push was refused", fields);
    return { kind: "fork", sequence };
  }

  const before = ws.clock.position;
  const view: Viewpoint = { ...session, revoked: knownDevice(ws, session).revokedAt !== undefined };
  const { units, putOff } = judgedUnits(ws, input);
  const fresh = units.flatMap(({ members }) => members).filter(({ id }) => knownTo(ws, session, id) === undefined);
  const copies = new Copies(ws);
  const judged = sparingCopies(ws, copies, judgeUnits(ws, view, units, { copies, answerBytes: answerBytesOf(input) }));
  const results = [...judged, ...putOff.flatMap(({ members }) => members.map(putOffResult))];
  forgetCopies(ws, session.catalog, copies, { before, copyBytes: input.copyBytes });
  noteReceived(ws, session, sequencesStored(ws, fresh));
  const own = ownResults(ws, { ...input, session: view }, new Set(operations.map(({ id }) => id)));
  return {
    kind: "answered",
    epoch: ws.clock.epoch,
    results: [...results, ...own.results],
    hashes: own.hashes,
    moreResults: own.more,
    mark: markOf(ws, own.upTo),
    touched: touchedBy(ws, view, before, units, results),
  };
}

/**
 * Judges the units. A unit that would fill the device's quarantine beyond its quota is put off, and so is all that
 * follows when the rows in the results fill an answer, or when what was replaced has led to enough other operations.
 */
function judgeUnits(
  ws: WorkingSet,
  view: Viewpoint,
  units: readonly Unit[],
  { copies, answerBytes }: { readonly copies: Copies; readonly answerBytes: number },
): readonly OperationResult[] {
  const results: OperationResult[] = [];
  const carried = new Set<string>();
  let carriedBytes = 0;
  let isFull = false;
  const { followed } = ws;
  for (const unit of units) {
    if (carriedBytes > answerBytes || ws.followed - followed > MAX_FOLLOWED) {
      results.push(...unit.members.map(putOffResult));
      continue;
    }
    const savepoint = ws.savepoint();
    const judged = judgeUnit(ws, view, unit);
    if (exceedsQuota(ws, view)) {
      ws.rollback(savepoint);
      isFull = true;
      results.push(...unit.members.map((member) => known(judged, member) ?? quarantineFull(member)));
      continue;
    }
    for (const result of judged) {
      const bytes = copies.bytesOf(result);
      if (bytes === 0) continue;
      // Of other results, the last one on a row carries it.
      const row = rowOf(ws, result);
      if (result.status === "conflict" || !carried.has(row)) carriedBytes += bytes;
      carried.add(row);
    }
    results.push(...judged);
  }
  if (isFull) {
    const { device } = view;
    ws.log("info", "A device's quarantine is full; what else it sends for it is put off", { device });
  }
  return results;
}

/** The row that the result of a stored operation is about. */
function rowOf(ws: WorkingSet, { id }: OperationResult): string {
  const stored = ws.operation(id);
  return stored === undefined ? "" : recordKey(stored.collection, stored.entityId);
}

/** The result of a member that was stored before. */
function known(judged: readonly OperationResult[], { id }: PreparedOperation): OperationResult | undefined {
  return judged.find((result) => result.id === id && result.replayed === true);
}

/**
 * The first operation whose sequence number in the incarnation belongs to another id: two stores use one identity [C7]. Nothing of the
 * request is applied.
 */
function forkedSequence(
  ws: WorkingSet,
  incarnation: string,
  operations: readonly PreparedOperation[],
): { readonly sequence: number; readonly operation: string } | undefined {
  const here = new Map<number, string>();
  for (const operation of operations) {
    const { sequence } = headOf(operation);
    if (sequence === undefined) continue;
    const owner = ws.sequenceOwner(incarnation, sequence) ?? here.get(sequence) ?? operation.id;
    if (owner !== operation.id) return { sequence, operation: operation.id };
    here.set(sequence, operation.id);
  }
  return undefined;
}

function sequencesStored(ws: WorkingSet, fresh: readonly PreparedOperation[]): readonly number[] {
  return fresh.flatMap(({ id }) => ws.operation(id)?.sequence ?? []);
}

function touchedBy(
  ws: WorkingSet,
  { principal }: Viewpoint,
  before: number,
  units: readonly Unit[],
  results: readonly OperationResult[],
): readonly Touched[] {
  const touched = [...ws.touchedSince(before)];
  // A superseded operation may belong to another device of the branch. That device learns of it by a revised result,
  // which a pull brings.
  const fresh = new Set(results.filter(({ replayed }) => replayed !== true).map(({ id }) => id));
  for (const { parsed, id } of units.flatMap(({ members }) => members)) {
    if (!parsed.ok || !fresh.has(id) || (parsed.value.supersedes ?? []).length === 0) continue;
    touched.push({ collection: parsed.value.collection, scope: principal.branch ?? "" });
  }
  return touched;
}

/**
 * Looks at everything that the decision will probably want, so that it is read in few rounds. Whatever this misses costs
 * one more run of the decision. Returns whether it has to be called again for further units: what they name is read
 * piece by piece, and not at all if the pieces before weigh too much (L12).
 */
export function prefetch(ws: WorkingSet, input: PushInput): boolean {
  const { session, epoch, marks, operations } = input;
  const { units } = withinBudget(unitsOf(session.catalog, operations));
  const from = ws.reached(input) ?? 0;
  if (from === 0) {
    standingOf(ws, epoch, marks);
    ws.device(session.device);
    ws.incarnation(session.device, session.incarnation);
    ws.held(session.device);
    ownResults(ws, input);
    for (const operation of operations) prefetchSequence(ws, session, operation);
  } else if (ws.loadedBytes > LOADED_BYTES) return false;
  const upTo = nextReach(units, from);
  for (const { members } of units.slice(from, upTo)) {
    for (const member of members) prefetchOperation(ws, session, member);
  }
  ws.noteReached(input, upTo);
  return upTo < units.length;
}

/**
 * Follows what waits and what is bound together one link further than is known. A chain of fifty links would otherwise
 * show one of them in each run, and every run judges the whole push (L12).
 */
export function foresee(ws: WorkingSet, input: PushInput): void {
  const { session } = input;
  // Of a store that is new, the others of its device.
  mayEnrol(ws, session);
  // Page by page: a device may lack a thousand results.
  ownResults(ws, input);
  const { followed } = ws;
  const foreseen = new Set<string>();
  for (const { members } of judgedUnits(ws, input).units) {
    for (const { parsed } of members)
      if (parsed.ok) unmet(ws, parsed.value, { commercial: false, device: session.device });
    if (ws.followed - followed > MAX_FOLLOWED) continue;
    const siblings = siblingsOf(ws, session, members);
    // What gives something up judges no other operation.
    if (members.every(({ raw }) => raw.action === "void") || nameTooMany(siblings)) continue;
    for (const sibling of siblings) {
      if (foreseen.has(sibling.id)) continue;
      foreseen.add(sibling.id);
      foreseeSibling(ws, session, sibling);
    }
  }
}

/** What is judged again because another member of its transaction was replaced. */
function foreseeSibling(ws: WorkingSet, session: Sender, row: OperationRow): void {
  const prepared = prepareStored(row);
  prefetchOperation(ws, session, prepared);
  const { parsed } = prepared;
  if (parsed.ok) unmet(ws, parsed.value, { commercial: false, device: row.device });
}

/** The units that are judged: as many as the push may name ids, and as {@link prefetch} has come to. */
function judgedUnits(ws: WorkingSet, input: PushInput): WithinBudget {
  const { units, putOff } = withinBudget(unitsOf(input.session.catalog, input.operations));
  const reached = ws.reached(input) ?? units.length;
  return { units: units.slice(0, reached), putOff: [...units.slice(reached), ...putOff] };
}

function prefetchSequence(ws: WorkingSet, session: Sender, prepared: PreparedOperation): void {
  const { sequence } = headOf(prepared);
  if (sequence !== undefined) ws.sequenceOwner(session.incarnation, sequence);
}

function prefetchOperation(ws: WorkingSet, session: Sender, prepared: PreparedOperation): void {
  const { id, parsed } = prepared;
  ws.operation(id);
  if (!parsed.ok) return;
  const operation = parsed.value;
  const served = session.catalog.collections.get(operation.collection);
  for (const earlier of operation.after ?? []) ws.operation(earlier);
  for (const target of operation.supersedes ?? []) {
    ws.operation(target);
    ws.conflictOf(target);
  }
  if (served === undefined) return;
  ws.record(operation.collection, operation.entityId);
  const set = operation.action === "create" ? operation.data : operation.action === "update" ? operation.patch : {};
  for (const referenced of referencesIn(served.resolved.references, set))
    ws.record(referenced.collection, referenced.id);
  for (const named of guessNamedRows({ view: session, served, operation })) ws.record(named.collection, named.id);
}
