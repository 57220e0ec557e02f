/** Decides a whole push: unit after unit, over one working set, with one result for each operation. */
import { LIMITS } from "../../protocol/constants.ts";
import type { AppliedResult, OperationResult } from "../../protocol/types.ts";
import { referencesIn } from "../../schema/references.ts";
import { jsonBytes } from "../../shared/json.ts";
import type { Introduction } from "./admission.ts";
import { type NeedsEpoch, needsEpoch, standingOf } from "./epoch.ts";
import { guessNamedRows } from "./operation/policy.ts";
import { headOf, type PreparedOperation } from "./operation/prepared-operation.ts";
import { knownDevice, noteReceived } from "./rows/devices.ts";
import { ownResults } from "./rows/feed.ts";
import { type Mark, markOf } from "./rows/marks.ts";
import type { Touched } from "./rows/scope.ts";
import type { Sender, Viewpoint } from "./rows/sender.ts";
import { recordKey, type WorkingSet } from "./rows/working-set.ts";
import { judgeUnit, type Unit, unitsOf } from "./transaction.ts";

export interface PushInput extends Introduction {
  readonly operations: readonly PreparedOperation[];
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
  | { readonly kind: "fork"; readonly sequence: number }
  | NeedsEpoch;

export function decidePush(ws: WorkingSet, input: PushInput): PushOutcome {
  const { session, operations } = input;
  if (!ws.hasClock) return needsEpoch(ws);
  const standing = standingOf(ws, input.epoch, input.marks);
  if (standing === "restored") return needsEpoch(ws);
  if (standing === "stale") return { kind: "stale", epoch: ws.clock.epoch };
  if (standing !== "current") return { kind: standing };
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
  const fresh = operations.filter(({ id }) => ws.operation(id) === undefined);
  const units = unitsOf(session.catalog, operations);
  const results = withoutCopies(
    ws,
    before,
    units.flatMap((unit) => judgeUnit(ws, view, unit)),
  );
  noteReceived(ws, session, sequencesStored(ws, fresh));
  const own = ownResults(ws, input, new Set(operations.map(({ id }) => id)));
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
 * Every result may carry its row [C4]. But five hundred edits of one large row must not be answered, and stored, as
 * five hundred copies of it (L12). Once the copies exceed the size of a page, only the last result on a row carries it.
 * That result has the greatest version, so on the till it replaces whatever the others led to.
 */
function withoutCopies(
  ws: WorkingSet,
  before: number,
  results: readonly OperationResult[],
): readonly OperationResult[] {
  const carried = new Set<string>();
  let budget: number = LIMITS.pullBytes;
  const kept = results.toReversed().map((result) => {
    const copy = copyIn(result);
    const stored = copy === undefined ? undefined : ws.operation(result.id);
    // A result that was stored before this push stays as it was answered then.
    if (stored === undefined || stored.feedPosition <= before) return result;
    const row = recordKey(stored.collection, stored.entityId);
    if (carried.has(row)) budget -= jsonBytes(JSON.stringify(copy));
    if (!carried.has(row) || budget >= 0) {
      carried.add(row);
      return result;
    }
    const { data: _data, server: _server, ...rest } = result as AppliedResult & { readonly server?: unknown };
    ws.putOperation({ ...stored, result: rest });
    return rest;
  });
  return kept.toReversed();
}

/** The row in the result, if the result may leave it out. */
function copyIn(result: OperationResult): unknown {
  if (result.status === "applied") return result.data;
  return result.status === "rejected" ? result.server : undefined;
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
 * Looks once at everything that the decision will probably want, so that all of it is read in one round. Whatever this
 * misses costs one more run of the decision.
 */
export function prefetch(ws: WorkingSet, input: PushInput): void {
  const { session, operations, epoch, marks } = input;
  standingOf(ws, epoch, marks);
  ws.device(session.device);
  ws.incarnations(session.device);
  ownResults(ws, input);
  for (const prepared of operations) prefetchOperation(ws, session, prepared);
}

function prefetchOperation(ws: WorkingSet, session: Sender, prepared: PreparedOperation): void {
  const { id, parsed } = prepared;
  ws.operation(id);
  const { sequence } = headOf(prepared);
  if (sequence !== undefined) ws.sequenceOwner(session.incarnation, sequence);
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
