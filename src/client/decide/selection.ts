/**
 * Which operations go into the next batch, in which order, and what each must wait for. Pure.
 *
 * Candidates are taken unit by unit, in the order in which they are given. A unit is a wire transaction, or an
 * operation that has none. Before a unit is taken, the operations that its members come after (`afterOf`) are taken:
 * `take` and `takePredecessor` call each other. `path` holds the units that are being taken at that moment.
 *
 *     take(unit)
 *       │ all members are in the batch already ─────────────────────────────► "taken"
 *       │ the unit is in `path`: a circle ──────────────────────────────────► that unit
 *       │ a member is set aside (`skip`) ───────────────────────────────────► "later"
 *       ▼
 *     for each operation that a member comes after: takePredecessor(operation)
 *       │  ├─ "taken", or the member may go without it (`maySkip`): the next operation
 *       │  ├─ "later", "person", or a unit further up in `path` ─────────────► that outcome
 *       │  └─ this unit itself: the circle can't be broken here ─────────────► "later"
 *       │ a member comes after more operations of this batch than it may name ► "later"
 *       │ the unit does not fit into the rest of the batch ─────────────────► "later"
 *       ▼
 *     all members go into the batch ────────────────────────────────────────► "taken"
 *
 *     takePredecessor(operation)
 *       │ it lies on a desk ────────────────────────────────────────────────► "person"
 *       │ it is not a candidate, for example because it is still blocked: "later"; otherwise take(its unit)
 *       │  ├─ not "taken", and the operation waits for a person ─────────────► "person"
 *       │  └─ otherwise ─────────────────────────────────────────────────────► that outcome
 *
 * One example of each outcome. S is a sale, C the create of the customer that it names, U1 and U2 are edits of one row.
 *
 * - `"taken"`: C and S are pending. take(S) calls takePredecessor(C), which puts C into the batch; then S goes in, with
 *   `after: [C]`.
 * - `"later"`: U1 is blocked. takePredecessor(U1) returns `"later"`, so U2 stays here: the edits of a row never change their
 *   order. If C were blocked by another operation of the outbox, S would stay here in the same way.
 * - `"person"`: C is in conflict. takePredecessor(C) returns `"person"`, and S goes all the same, with `after: [C]`: no sale
 *   waits for a person, and the server accepts any final result of C. If U1 is in conflict, U2 stays here, because an
 *   edit does wait.
 * - a unit: C also names S, for example as the customer's first sale. take(S) takes C, which takes S again; S is in
 *   `path`, so that call returns S's unit. C is an edit and may go without S: the batch is C with `after: []`, then S
 *   with `after: [C]`. If two sales name each other, the second one does not give way but returns the first one's unit;
 *   the first one then goes without it, and the second comes after it.
 */
import { LIMITS } from "../../protocol/constants.ts";
import {
  holdsBack,
  isCommercial,
  isIn,
  isReplayed,
  needsPerson,
  type StoredOperation,
  subjectOf,
} from "../state/operation.ts";

/**
 * How many ids `after` may have. An operation that comes after more stays here until enough of them are settled. Those
 * that lie on a desk are named last: whatever becomes of them, no sale waits for it.
 */
const MAX_AFTER = LIMITS.transactionOperations;

/** The most that a push may contain. A single unit is sent even if it has more. */
export interface BatchLimits {
  readonly maxOperations: number;
  readonly maxBytes: number;
}

export interface SelectionInput {
  /**
   * The operations that can be sent, in the order in which they may be taken: the lanes of this round, each by rank.
   * Either all sendable members of a group are among them, or none.
   */
  readonly candidates: readonly StoredOperation[];
  /**
   * Operations for which candidates may have to wait, whatever their state: edits of the same rows, creates of
   * referenced rows.
   */
  readonly others: readonly StoredOperation[];
  readonly limits: BatchLimits;
  /** Whether an operation must not be sent for now. */
  skip(operation: StoredOperation): boolean;
}

/** An operation of the batch, as the push will send it. */
export interface Selected {
  readonly operation: StoredOperation;
  /** The ids of the operations that must take effect before this one [C2]. */
  readonly after: readonly string[];
}

/** A wire transaction, or an operation that has none: never split over two pushes [C1]. */
interface Unit {
  readonly members: readonly StoredOperation[];
  readonly bytes: number;
}

/**
 * Chooses a batch: by lane and rank, whole units, and no unit ahead of what it comes after. The operations that a unit
 * comes after are sent with it, in front of it, whatever their lane [M5]. If they can't be sent now, the unit waits,
 * edits and sales alike; but a fact or an increment never waits for a person (L11).
 */
export function selectBatch(input: SelectionInput): readonly Selected[] {
  const index = indexOf([...input.others, ...input.candidates]);
  const units = unitsOf(input);
  const taken = new Map<string, Selected>();
  let bytes = 0;
  let count = 0;

  /** Takes the unit and, before it, the operations that it comes after. */
  const take = (unit: Unit, path: ReadonlySet<Unit>): TakeOutcome => {
    if (unit.members.every((o) => taken.has(o.id))) return "taken";
    if (path.has(unit)) return unit;
    if (unit.members.some(input.skip)) return "later";
    const inner = new Set(path).add(unit);
    const selected: (readonly [operation: StoredOperation, after: readonly StoredOperation[]])[] = [];
    for (const operation of unit.members) {
      const after = afterOf(operation, index);
      for (const first of after) {
        const outcome = takePredecessor(first, inner);
        if (outcome === "taken" || maySkip(operation, first, outcome, inner)) continue;
        return typeof outcome === "string" || path.has(outcome) ? outcome : "later";
      }
      selected.push([operation, after]);
    }
    if (selected.some(([, after]) => after.filter((o) => taken.has(o.id)).length > MAX_AFTER)) return "later";
    const tooMuch =
      count + unit.members.length > input.limits.maxOperations || bytes + unit.bytes > input.limits.maxBytes;
    if (tooMuch && count > 0) return "later";
    for (const [operation, after] of selected) {
      // Without the operations that it may skip and that are not in the batch: the server would wait for them.
      const sentAfter = [...after.filter((o) => taken.has(o.id)), ...after.filter(needsPerson)].slice(0, MAX_AFTER);
      taken.set(operation.id, { operation, after: sentAfter.map((o) => o.id) });
    }
    count += unit.members.length;
    bytes += unit.bytes;
    return "taken";
  };

  const takePredecessor = (first: StoredOperation, path: ReadonlySet<Unit>): TakeOutcome => {
    if (needsPerson(first)) return "person";
    const unit = units.byId.get(first.id);
    const outcome = unit ? take(unit, path) : "later";
    return outcome !== "taken" && waitsForPerson(first, index) ? "person" : outcome;
  };

  for (const unit of units.list) {
    take(unit, new Set());
    if (count >= input.limits.maxOperations) break;
  }
  return [...taken.values()];
}

/**
 * What became of taking a unit; the drawing above explains each.
 *
 * - `taken`: it is in the batch
 * - `later`: it can't be sent now
 * - `person`: it can be sent once a person has settled something on a desk
 * - a unit: taking this one led back to that unit, which is being taken already (a circle)
 */
type TakeOutcome = "taken" | "later" | "person" | Unit;

/**
 * Whether `operation` may be sent without `first`, which could not be taken.
 *
 * - If `first` waits for a person: facts and increments may, since any final result of `first` is enough for them [C2].
 * - If both are in a circle (a customer names their first sale, the sale names the customer), one of them must be sent
 *   first, and what it names is unresolved for a moment. To a record that means nothing, to a fact it means a flag. So
 *   an edit may, and a fact or an increment only if the walk began with its unit: then no edit in the circle has given
 *   way.
 * - An edit never goes ahead of an earlier edit of its row.
 */
function maySkip(
  operation: StoredOperation,
  first: StoredOperation,
  outcome: TakeOutcome,
  path: ReadonlySet<Unit>,
): boolean {
  if (outcome === "person") return isCommercial(operation);
  if (typeof outcome === "string" || !path.has(outcome)) return false;
  const isOwnRow = subjectOf(first.collection, first.entityId) === subjectOf(operation.collection, operation.entityId);
  return !(isOwnRow && first.rank < operation.rank) && (path.size === 1 || !isCommercial(operation));
}

function unitsOf({ candidates, others }: SelectionInput): {
  readonly list: readonly Unit[];
  readonly byId: ReadonlyMap<string, Unit>;
} {
  const groups = new Map<string, StoredOperation[]>();
  for (const operation of candidates) {
    const key = operation.group ?? operation.id;
    const members = groups.get(key);
    if (members) members.push(operation);
    else groups.set(key, [operation]);
  }
  // Members that were unblocked and those that stayed in their lane come from two scans.
  for (const members of groups.values()) members.sort((a, b) => a.rank - b.rank || a.sequence - b.sequence);
  leaveOutIncomplete(groups, others);
  const list = [...groups.values()].map(
    (members): Unit => ({ members, bytes: members.reduce((sum, o) => sum + o.bytes, 0) }),
  );
  return { list, byId: new Map(list.flatMap((unit) => unit.members.map((o) => [o.id, unit] as const))) };
}

/**
 * An editorial transaction is sent whole or not at all: while a member lies on a desk or can't be sent, its siblings
 * stay here [C1].
 */
function leaveOutIncomplete(groups: Map<string, StoredOperation[]>, others: readonly StoredOperation[]): void {
  for (const other of others) {
    const members = other.group === undefined ? undefined : groups.get(other.group);
    if (members === undefined || isCommercial(other) || members.some((o) => o.id === other.id)) continue;
    if (holdsBack(other) && other.group !== undefined) groups.delete(other.group);
  }
}

interface OutboxIndex {
  readonly byId: ReadonlyMap<string, StoredOperation>;
  /** What is replayed into a row and can still take effect through this till, by subject and rank. */
  readonly edits: ReadonlyMap<string, readonly StoredOperation[]>;
  /** The editorial transactions that can't be sent, because a member of theirs lies on a desk. */
  readonly stuckGroups: ReadonlySet<string | undefined>;
}

function indexOf(operations: readonly StoredOperation[]): OutboxIndex {
  const byId = new Map(operations.map((o) => [o.id, o]));
  const edits = new Map<string, StoredOperation[]>();
  for (const operation of byId.values()) {
    // Without operations that are applied, replaced or quarantined. They are among `others` as blockers or as sales set aside,
    // and an operation that waited for one would wait forever [C2, C3].
    if (!isReplayed(operation) || !holdsBack(operation)) continue;
    const subject = subjectOf(operation.collection, operation.entityId);
    const list = edits.get(subject);
    if (list) list.push(operation);
    else edits.set(subject, [operation]);
  }
  for (const list of edits.values()) list.sort((a, b) => a.rank - b.rank);
  const stuckGroups = new Set(operations.filter((o) => !isCommercial(o) && needsPerson(o)).map((o) => o.group));
  stuckGroups.delete(undefined);
  return { byId, edits, stuckGroups };
}

/**
 * The operations that must take effect first [C2]: (a) for an edit, the previous open edit of the row; (b) for an
 * increment, an open `create` of the row and nothing else; (c) the open creates of the rows that it references. Members
 * of its own transaction are not listed, and `void` waits for nothing.
 */
function afterOf(operation: StoredOperation, index: OutboxIndex): readonly StoredOperation[] {
  if (operation.action === "void") return [];
  const own = (index.edits.get(subjectOf(operation.collection, operation.entityId)) ?? []).filter(
    (o) => o.rank < operation.rank,
  );
  const previous = operation.action === "increment" ? own.filter((o) => o.action === "create").at(-1) : own.at(-1);
  const creates = (operation.references ?? []).map((subject) =>
    (index.edits.get(subject) ?? []).filter((o) => o.action === "create").at(-1),
  );
  const found = new Set([previous, ...creates]);
  return [...found].filter(
    (o): o is StoredOperation =>
      o !== undefined && o.id !== operation.id && (o.group === undefined || o.group !== operation.group),
  );
}

/**
 * Whether the operation waits for a person: something on a desk blocks it, or holds its transaction. No sale waits for
 * such an operation (L11).
 */
function waitsForPerson(operation: StoredOperation, index: OutboxIndex): boolean {
  if (index.stuckGroups.has(operation.group)) return true;
  if (!isIn(operation, "blocked")) return false;
  return operation.status.blockedBy.some((id) => {
    const blocker = index.byId.get(id);
    return blocker === undefined || needsPerson(blocker);
  });
}
