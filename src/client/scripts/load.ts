/** Reads what a decision about some rows and operations needs, in the decision's own transaction. */
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { KeyRange } from "../../shared/keys.ts";
import type { Target } from "../decide/mint.ts";
import { Workspace } from "../decide/workspace.ts";
import {
  EMPTY_QUEUE,
  FIRST_SYNC_POINT,
  generationOf,
  nextGenerations,
  QUEUE,
  type QueueState,
  SYNC,
  type SyncPoint,
} from "../state/meta.ts";
import { isIn, isUnfinished, type StoredOperation, subjectOf } from "../state/operation.ts";
import type { StoredConflict, StoredRow } from "../state/rows.ts";
import {
  openIncrementsRange,
  replayedRange,
  SUBJECT_INDEX,
  TRANSACTION_INDEX,
  transactionRange,
} from "../state/tables.ts";
import {
  ask,
  conflictsById,
  operationsById,
  operationsIn,
  type Reads,
  rowsOf,
  unchangedMeta,
  valuesOf,
} from "./reads.ts";

/** What to load. Rows are loaded for `targets`, for `fresh`, and for the operations of `operationIds`. */
export interface LoadRequest {
  readonly targets?: readonly Target[] | undefined;
  /** More targets: rows that are about to be created, and most likely do not exist yet. */
  readonly fresh?: readonly Target[] | undefined;
  readonly operationIds?: readonly string[] | undefined;
  /** Whether to load the transactions of those operations too, and their conflicts, for a caller that settles them. */
  readonly forSettling?: boolean | undefined;
  /** Whether the rows' bases may change generation, so their open increments must be counted again. */
  readonly rebasing?: boolean | undefined;
  /** Whether to decide as if every collection were pulled again, because a new epoch begins. */
  readonly restarting?: boolean | undefined;
}

/**
 * `siblings`: the loaded members of an operation's local transaction, itself included; `conflict`: a loaded conflict.
 */
export interface Loaded {
  readonly workspace: Workspace;
  readonly point: SyncPoint;
  siblings(operation: StoredOperation): readonly StoredOperation[];
  conflict(id: string): StoredConflict | undefined;
}

/** Loads a workspace with the rows, and with every operation that is replayed on them. */
export function* loadWorkspace(collections: ResolvedCollections, request: LoadRequest): Reads<Loaded> {
  const fresh = wantedRows(collections, request.fresh ?? []);
  const targets = wantedRows(collections, request.targets ?? [], fresh);
  const { queue, point, asked, named } = yield* readNamed(request.operationIds ?? [], targets, fresh);
  const operations = new Map(asked.map((operation) => [operation.id, operation]));
  const conflicts = new Map<string, StoredConflict>();
  if (request.forSettling) yield* readSurroundings(operations, conflicts);
  const rows = [...named, ...(yield* readRows(wantedRows(collections, asked, targets, fresh)))];
  for (const operation of yield* readReplayed(rows, asked, request.rebasing ? point : undefined))
    operations.set(operation.id, operation);
  const all = [...operations.values()];
  return {
    point,
    workspace: new Workspace({
      collections,
      queue,
      point: request.restarting ? nextGenerations(point, Object.keys(collections)) : point,
      rows,
      operations: all,
    }),
    siblings: ({ transaction }) => (transaction === undefined ? [] : all.filter((o) => o.transaction === transaction)),
    conflict: (id) => conflicts.get(id),
  };
}

/** Reads everything whose key is known, in one step: a sale spends most of its time on round trips to the database. */
function* readNamed(
  ids: readonly string[],
  targets: WantedRows,
  fresh: WantedRows,
): Reads<{
  readonly queue: QueueState;
  readonly point: SyncPoint;
  readonly asked: readonly StoredOperation[];
  readonly named: readonly LoadedRow[];
}> {
  const [[queue = EMPTY_QUEUE, point = FIRST_SYNC_POINT], operations, ...rows] = yield* ask([
    unchangedMeta(QUEUE, SYNC),
    operationsById(ids),
    ...readsOf(targets),
    ...readsOf(fresh, "absent"),
  ]);
  const named = [...rowsIn(targets, rows), ...rowsIn(fresh, rows.slice(targets.size))];
  return { queue, point, asked: operations.filter((o) => o !== undefined), named };
}

/** Reads the siblings of edits that were bound together, and the conflicts of the operations. Both are rare. */
function* readSurroundings(
  operations: Map<string, StoredOperation>,
  conflicts: Map<string, StoredConflict>,
): Reads<void> {
  const all = [...operations.values()];
  const groups = new Set(
    all
      .filter((o) => o.group !== undefined && o.kind === "record" && o.action !== "increment")
      .map((o) => o.transaction),
  );
  const conflictIds = all.flatMap((o) => (isIn(o, "conflict") ? o.status.conflictId : []));
  const [found, ...members] = yield* ask([
    conflictsById(conflictIds),
    ...[...groups].flatMap((transaction) =>
      transaction === undefined ? [] : operationsIn(TRANSACTION_INDEX, transactionRange(transaction)),
    ),
  ]);
  for (const conflict of found) if (conflict) conflicts.set(conflict.id, conflict);
  for (const operation of members.flatMap(valuesOf))
    if (!operations.has(operation.id)) operations.set(operation.id, operation);
}

/** Ids by collection, without collections that the app does not have: their rows are left alone. */
type WantedRows = ReadonlyMap<string, ReadonlySet<string>>;
type LoadedRow = readonly [collection: string, row: StoredRow];

/** @param known rows that were read already */
function wantedRows(
  collections: ResolvedCollections,
  targets: readonly Target[],
  ...known: readonly WantedRows[]
): WantedRows {
  const wanted = new Map<string, Set<string>>();
  for (const { collection, entityId } of targets) {
    if (!Object.hasOwn(collections, collection)) continue;
    if (known.some((rows) => rows.get(collection)?.has(entityId))) continue;
    const ids = wanted.get(collection);
    if (ids) ids.add(entityId);
    else wanted.set(collection, new Set([entityId]));
  }
  return wanted;
}

const readsOf = (wanted: WantedRows, speculate?: "absent") =>
  [...wanted].map(([collection, ids]) => rowsOf(collection, [...ids], speculate));

function rowsIn(wanted: WantedRows, answers: readonly (readonly (StoredRow | undefined)[])[]): readonly LoadedRow[] {
  return [...wanted.keys()].flatMap((collection, index) =>
    (answers[index] ?? []).flatMap((row) => (row ? [[collection, row] as const] : [])),
  );
}

function* readRows(wanted: WantedRows): Reads<readonly LoadedRow[]> {
  return rowsIn(wanted, yield* ask(readsOf(wanted)));
}

/**
 * Reads the operations that are replayed on the rows. Rows on which nothing is replayed are skipped, and so are rows
 * whose operations are all loaded: a page of a thousand rows costs no scan of the queue (L12), and neither do the
 * results of a batch of sales.
 */
function* readReplayed(
  rows: readonly LoadedRow[],
  asked: readonly StoredOperation[],
  point: SyncPoint | undefined,
): Reads<readonly StoredOperation[]> {
  const ranges: KeyRange[] = [];
  const atHand = countUnfinished(asked);
  for (const [collection, row] of rows) {
    const subject = subjectOf(collection, row.id);
    const rebased =
      point !== undefined &&
      row.generation !== generationOf(point, collection) &&
      (row.states !== undefined || row.delta !== undefined);
    if (!(row.edits || rebased) || isAtHand(row, atHand.get(subject))) continue;
    ranges.push(replayedRange(subject));
    if (rebased) ranges.push(openIncrementsRange(subject));
  }
  return (yield* ask(ranges.map((range) => operationsIn(SUBJECT_INDEX, range)))).flatMap(valuesOf);
}

/**
 * Whether all operations that are replayed or summed on the row are loaded. All of them are unfinished, and the row
 * counts its unfinished operations, so comparing the numbers is enough.
 */
function isAtHand({ states = {} }: StoredRow, unfinished = 0): boolean {
  return Object.values(states).reduce((sum: number, count) => sum + count, 0) === unfinished;
}

/** How many of the operations are unfinished, by subject. */
function countUnfinished(operations: readonly StoredOperation[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { collection, entityId, status, action } of operations) {
    if (!isUnfinished(status.state) || action === "void") continue;
    const subject = subjectOf(collection, entityId);
    counts.set(subject, (counts.get(subject) ?? 0) + 1);
  }
  return counts;
}
