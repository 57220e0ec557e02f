/** Which operations go into the next batch, in which order, and what each must wait for. Pure. */
import {
  holdsRow,
  isCommercial,
  isIn,
  isReplayed,
  needsPerson,
  type StoredOperation,
  subjectOf,
} from "../state/operation.ts";

export interface BatchLimits {
  readonly maxOperations: number;
  readonly maxBytes: number;
}

export interface SelectionInput {
  /** Sendable operations, of each group all that are, in the order in which they may be taken: the lanes of this round, each by rank. */
  readonly candidates: readonly StoredOperation[];
  /** Open operations that candidates may have to wait for, whatever their state: edits of their rows, creates of what they reference. */
  readonly others: readonly StoredOperation[];
  readonly limits: BatchLimits;
  /** Operations set aside for now. */
  skip(operation: StoredOperation): boolean;
}

export interface Selected {
  readonly operation: StoredOperation;
  readonly after: readonly string[];
}

/** A wire transaction, or an operation that stands for itself: never split over two pushes [C1]. */
interface Unit {
  readonly members: readonly StoredOperation[];
  readonly bytes: number;
}

/**
 * By lane and rank; a unit whole or not at all; nothing ahead of what it comes after. What a unit comes after travels with it, in
 * front, whatever its lane [M5]; if that can't be sent now, an edit waits, and so does a fact, unless a person is being waited for (L11).
 */
export function selectBatch(input: SelectionInput): readonly Selected[] {
  const index = indexOf([...input.others, ...input.candidates]);
  const units = unitsOf(input);
  const taken = new Map<string, Selected>();
  let bytes = 0;
  let count = 0;

  /** Takes the unit and, before it, what it comes after. */
  const take = (unit: Unit, path: ReadonlySet<Unit>): TakeOutcome => {
    if (unit.members.every((o) => taken.has(o.id))) return "taken";
    if (path.has(unit)) return unit;
    if (unit.members.some(input.skip)) return "later";
    const inner = new Set(path).add(unit);
    const selected: (readonly [operation: StoredOperation, after: readonly StoredOperation[]])[] = [];
    for (const operation of unit.members) {
      const after = afterOf(operation, index);
      for (const first of after) {
        const outcome = takeFirst(first, inner);
        if (outcome === "taken" || maySkip(operation, first, outcome, inner)) continue;
        return typeof outcome === "string" || path.has(outcome) ? outcome : "later";
      }
      selected.push([operation, after]);
    }
    const tooMuch =
      count + unit.members.length > input.limits.maxOperations || bytes + unit.bytes > input.limits.maxBytes;
    if (tooMuch && count > 0) return "later";
    for (const [operation, after] of selected) {
      // Not what it goes without: the server would wait for it.
      const told = after.filter((o) => taken.has(o.id) || needsPerson(o));
      taken.set(operation.id, { operation, after: told.map((o) => o.id) });
    }
    count += unit.members.length;
    bytes += unit.bytes;
    return "taken";
  };

  const takeFirst = (first: StoredOperation, path: ReadonlySet<Unit>): TakeOutcome => {
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

/** `later`: not now. `person`: when somebody has settled what lies on a desk. A unit: that one is being taken, and comes after this. */
type TakeOutcome = "taken" | "later" | "person" | Unit;

/**
 * A sale goes without what waits for a person: any final result would do [C2]. And where operations name each other (a customer with
 * their first sale, a sale with its customer), one of them must go first: what it names is then unresolved for a moment, which to a
 * record is nothing, and to a fact a flag. So the fact gives way only where no record does. The order of a row's own edits never does.
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
  // Woken members and those that never left their lane come from two scans.
  for (const members of groups.values()) members.sort((a, b) => a.rank - b.rank || a.sequence - b.sequence);
  leaveOutIncomplete(groups, others);
  const list = [...groups.values()].map(
    (members): Unit => ({ members, bytes: members.reduce((sum, o) => sum + o.bytes, 0) }),
  );
  return { list, byId: new Map(list.flatMap((unit) => unit.members.map((o) => [o.id, unit] as const))) };
}

/** An editorial transaction is sent whole or not at all: while a member lies on a desk, or is held, its siblings stay here [C1]. */
function leaveOutIncomplete(groups: Map<string, StoredOperation[]>, others: readonly StoredOperation[]): void {
  for (const other of others) {
    const members = other.group === undefined ? undefined : groups.get(other.group);
    if (members === undefined || isCommercial(other) || members.some((o) => o.id === other.id)) continue;
    if (holdsRow(other) && other.group !== undefined) groups.delete(other.group);
  }
}

interface OutboxIndex {
  readonly byId: ReadonlyMap<string, StoredOperation>;
  /** Open edits of records, by subject and rank. */
  readonly edits: ReadonlyMap<string, readonly StoredOperation[]>;
  /** Editorial transactions that are held, since a member of theirs lies on a desk. */
  readonly stuckGroups: ReadonlySet<string | undefined>;
}

function indexOf(operations: readonly StoredOperation[]): OutboxIndex {
  const byId = new Map(operations.map((o) => [o.id, o]));
  const edits = new Map<string, StoredOperation[]>();
  for (const operation of byId.values()) {
    // Not what is settled: it comes along as the blocker of another, or as a sale set aside, and who waits for it waits for ever [C2, C3].
    if (!isReplayed(operation) || !holdsRow(operation)) continue;
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
 * [C2] (a) for an edit: the previous open edit of the row; (b) for an increment: an open `create` of the row, and nothing else;
 * (c) the open creates of what it references. Members of its own transaction are not listed, `void` waits for nothing.
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

/** What is blocked, or held with its transaction, by what lies on a desk: only a person moves it, and no sale waits for a person (L11). */
function waitsForPerson(operation: StoredOperation, index: OutboxIndex): boolean {
  if (index.stuckGroups.has(operation.group)) return true;
  if (!isIn(operation, "blocked")) return false;
  return operation.status.blockedBy.some((id) => {
    const blocker = index.byId.get(id);
    return blocker === undefined || needsPerson(blocker);
  });
}
