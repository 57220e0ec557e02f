/** Reads what a decision on some rows and operations needs, inside its own transaction. (client) */
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { Target } from "../decide/mint.ts";
import { Workspace } from "../decide/workspace.ts";
import type { ScannedRow, StorageRead } from "../ports/storage.ts";
import { readAll } from "../ports/storage.ts";
import type { QueueState, StoredConflict, StoredOperation, StoredRow, SyncPoint } from "../stored.ts";
import {
  CONFLICTS,
  EMPTY_QUEUE,
  FIRST_SYNC_POINT,
  generationOf,
  META,
  nextGenerations,
  OPERATIONS,
  QUEUE,
  SYNC,
  subjectOf,
  tableOf,
} from "../stored.ts";
import { openIncrementsRange, replayedRange, SUBJECT_INDEX, TRANSACTION_INDEX, transactionRange } from "../tables.ts";

export interface LoadRequest {
  readonly targets?: readonly Target[] | undefined;
  readonly operationIds?: readonly string[] | undefined;
  /** Also the transactions of those operations, and their open conflicts: for whoever settles them. */
  readonly forSettling?: boolean | undefined;
  /** The rows' bases may come to be of another generation: their open increments are counted anew. */
  readonly rebasing?: boolean | undefined;
  /** Decide as of the point at which every collection is pulled again: a new epoch begins. */
  readonly restarting?: boolean | undefined;
}

export interface Loaded {
  readonly workspace: Workspace;
  readonly point: SyncPoint;
  siblings(operation: StoredOperation): readonly StoredOperation[];
  conflict(id: string): StoredConflict | undefined;
}

type Reads<T> = Generator<readonly StorageRead[], T, readonly unknown[]>;

export function* loadWorkspace(collections: ResolvedCollections, request: LoadRequest): Reads<Loaded> {
  const [meta, asked] = yield* readMetaAndOperations(request.operationIds ?? []);
  const queue = (meta[0] as QueueState | undefined) ?? EMPTY_QUEUE;
  const point = (meta[1] as SyncPoint | undefined) ?? FIRST_SYNC_POINT;
  const operations = new Map(asked.map((operation) => [operation.id, operation]));
  const conflicts = new Map<string, StoredConflict>();
  if (request.forSettling) yield* readSurroundings(operations, conflicts);
  const rows = yield* readRows(collections, [...(request.targets ?? []), ...asked]);
  for (const operation of yield* readReplayed(rows, request.rebasing ? point : undefined))
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

function* readMetaAndOperations(
  ids: readonly string[],
): Reads<readonly [readonly unknown[], readonly StoredOperation[]]> {
  const reads: StorageRead[] = [{ kind: "get", table: META, keys: [QUEUE, SYNC] }];
  if (ids.length > 0) reads.push({ kind: "get", table: OPERATIONS, keys: ids });
  const [meta, found] = yield* readAll(reads);
  return [
    meta as readonly unknown[],
    ((found ?? []) as readonly (StoredOperation | undefined)[]).filter((o) => o !== undefined),
  ];
}

/** The siblings of edits that were bound together, and the conflicts that lie open. Both are rare. */
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
  const conflictIds = all.map((o) => o.conflictId).filter((id) => id !== undefined);
  const reads: StorageRead[] = [{ kind: "get", table: CONFLICTS, keys: conflictIds }];
  for (const transaction of groups) {
    if (transaction !== undefined)
      reads.push({
        kind: "scan",
        table: OPERATIONS,
        options: { index: TRANSACTION_INDEX, range: transactionRange(transaction) },
      });
  }
  if (conflictIds.length === 0 && reads.length === 1) return;
  const [found, ...members] = yield* readAll(reads);
  for (const conflict of found as readonly (StoredConflict | undefined)[])
    if (conflict) conflicts.set(conflict.id, conflict);
  for (const scanned of members as readonly (readonly ScannedRow<StoredOperation>[])[]) {
    for (const { value } of scanned) if (!operations.has(value.id)) operations.set(value.id, value);
  }
}

function* readRows(
  collections: ResolvedCollections,
  targets: readonly Target[],
): Reads<readonly (readonly [string, StoredRow])[]> {
  const byCollection = new Map<string, Set<string>>();
  for (const { collection, entityId } of targets) {
    if (!Object.hasOwn(collections, collection)) continue;
    const ids = byCollection.get(collection);
    if (ids) ids.add(entityId);
    else byCollection.set(collection, new Set([entityId]));
  }
  const wanted = [...byCollection];
  const answers = yield* readAll(
    wanted.map(([collection, ids]) => ({ kind: "get", table: tableOf(collection), keys: [...ids] })),
  );
  const rows: (readonly [string, StoredRow])[] = [];
  for (const [index, [collection]] of wanted.entries()) {
    for (const row of answers[index] as readonly (StoredRow | undefined)[]) if (row) rows.push([collection, row]);
  }
  return rows;
}

/** Only rows that have something replayed are asked for it: a page of a thousand rows costs no scan of the queue (L12). */
function* readReplayed(
  rows: readonly (readonly [string, StoredRow])[],
  point: SyncPoint | undefined,
): Reads<readonly StoredOperation[]> {
  const reads: StorageRead[] = [];
  const seen = new Set<string>();
  for (const [collection, row] of rows) {
    const subject = subjectOf(collection, row.id);
    const rebased =
      point !== undefined &&
      row.generation !== generationOf(point, collection) &&
      (row.states !== undefined || row.delta !== undefined);
    if (seen.has(subject) || !(row.edits || rebased)) continue;
    seen.add(subject);
    reads.push({
      kind: "scan",
      table: OPERATIONS,
      options: { index: SUBJECT_INDEX, range: replayedRange(subject) },
    });
    if (rebased)
      reads.push({
        kind: "scan",
        table: OPERATIONS,
        options: { index: SUBJECT_INDEX, range: openIncrementsRange(subject) },
      });
  }
  const answers = (yield* readAll(reads)) as readonly (readonly ScannedRow<StoredOperation>[])[];
  return answers.flatMap((scanned) => scanned.map(({ value }) => value));
}
