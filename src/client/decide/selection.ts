/** Which operations go into the next batch, in which order, and what each must wait for. Pure. (client) */
import type { StoredOperation } from "../stored.ts";
import { isCommercial, isOpen, isReplayed, subjectOf } from "../stored.ts";

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
  const known = indexOf([...input.others, ...input.candidates]);
  const units = unitsOf(input);
  const taken = new Map<string, Selected>();
  let bytes = 0;
  let count = 0;

  /** Takes the unit and, before it, what it comes after. Answers whether it is in the batch. */
  const take = (unit: Unit, path: ReadonlySet<Unit>): boolean => {
    if (unit.members.every((o) => taken.has(o.id))) return true;
    if (path.has(unit) || unit.members.some(input.skip)) return false;
    const inner = new Set(path).add(unit);
    const selected: Selected[] = [];
    for (const operation of unit.members) {
      const after = afterOf(operation, known);
      for (const first of after) {
        if (first.state === "conflict" || first.state === "rejected") {
          if (isCommercial(operation)) continue; // satisfied by any final result [C2]
          return false;
        }
        const firstUnit = units.byId.get(first.id);
        if (firstUnit && take(firstUnit, inner)) continue;
        if (!(isCommercial(operation) && waitsForPerson(first, known))) return false;
      }
      selected.push({
        operation,
        after: after.filter((o) => taken.has(o.id) || o.state !== "blocked").map((o) => o.id),
      });
    }
    const tooMuch =
      count + unit.members.length > input.limits.maxOperations || bytes + unit.bytes > input.limits.maxBytes;
    if (tooMuch && count > 0) return false;
    for (const entry of selected) taken.set(entry.operation.id, entry);
    count += unit.members.length;
    bytes += unit.bytes;
    return true;
  };

  for (const unit of units.list) {
    take(unit, new Set());
    if (count >= input.limits.maxOperations) break;
  }
  return [...taken.values()];
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
  holdIncomplete(groups, others);
  const list = [...groups.values()].map(
    (members): Unit => ({ members, bytes: members.reduce((sum, o) => sum + o.bytes, 0) }),
  );
  return { list, byId: new Map(list.flatMap((unit) => unit.members.map((o) => [o.id, unit] as const))) };
}

/** An editorial transaction is sent whole or not at all: while a member lies on a desk, or is held, its siblings stay here [C1]. */
function holdIncomplete(groups: Map<string, StoredOperation[]>, others: readonly StoredOperation[]): void {
  for (const other of others) {
    const members = other.group === undefined ? undefined : groups.get(other.group);
    if (members === undefined || isCommercial(other) || members.some((o) => o.id === other.id)) continue;
    if (isUnsettled(other) && other.group !== undefined) groups.delete(other.group);
  }
}

function isUnsettled(operation: StoredOperation): boolean {
  return isOpen(operation) || operation.state === "rejected";
}

interface Known {
  readonly byId: ReadonlyMap<string, StoredOperation>;
  /** Open edits of records, by subject and rank. */
  readonly edits: ReadonlyMap<string, readonly StoredOperation[]>;
}

function indexOf(operations: readonly StoredOperation[]): Known {
  const byId = new Map(operations.map((o) => [o.id, o]));
  const edits = new Map<string, StoredOperation[]>();
  for (const operation of byId.values()) {
    // Not what is settled: it comes along as the blocker of another, or as a sale set aside, and who waits for it waits for ever [C2, C3].
    if (!isReplayed(operation) || !isUnsettled(operation)) continue;
    const subject = subjectOf(operation.collection, operation.entityId);
    const list = edits.get(subject);
    if (list) list.push(operation);
    else edits.set(subject, [operation]);
  }
  for (const list of edits.values()) list.sort((a, b) => a.rank - b.rank);
  return { byId, edits };
}

/**
 * [C2] (a) for an edit: the previous open edit of the row; (b) for an increment: an open `create` of the row, and nothing else;
 * (c) the open creates of what it references. Members of its own transaction are not listed, `void` waits for nothing.
 */
function afterOf(operation: StoredOperation, known: Known): readonly StoredOperation[] {
  if (operation.action === "void") return [];
  const own = (known.edits.get(subjectOf(operation.collection, operation.entityId)) ?? []).filter(
    (o) => o.rank < operation.rank,
  );
  const previous = operation.action === "increment" ? own.filter((o) => o.action === "create").at(-1) : own.at(-1);
  const creates = (operation.references ?? []).map((subject) =>
    (known.edits.get(subject) ?? []).filter((o) => o.action === "create").at(-1),
  );
  const found = new Set([previous, ...creates]);
  return [...found].filter(
    (o): o is StoredOperation =>
      o !== undefined && o.id !== operation.id && (o.group === undefined || o.group !== operation.group),
  );
}

/** A blocked operation whose blocker lies on a desk: only a person moves it, and no sale waits for a person (L11). */
function waitsForPerson(operation: StoredOperation, known: Known): boolean {
  if (operation.state !== "blocked") return false;
  return (operation.blockedBy ?? []).some((id) => {
    const blocker = known.byId.get(id);
    return blocker === undefined || blocker.state === "conflict" || blocker.state === "rejected";
  });
}
