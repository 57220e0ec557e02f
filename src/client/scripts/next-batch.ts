/** Reads the head of the outbox and chooses the next batch. It reads a window of the queue, never all of it (L12). */

import { LIMITS } from "../../protocol/constants.ts";
import { type BatchLimits, type Selected, selectBatch } from "../decide/selection.ts";
import type { StorageScript } from "../ports/storage.ts";
import { EMPTY_QUEUE, IDENTITY, type Identity, QUEUE, SYNC, type SyncPoint } from "../state/meta.ts";
import { isCommercial, isIn, type StoredOperation, subjectOf } from "../state/operation.ts";
import {
  journalRange,
  laneRange,
  QUEUE_INDEX,
  replayedRange,
  SUBJECT_INDEX,
  TRANSACTION_INDEX,
  transactionRange,
  unblockedRange,
} from "../state/tables.ts";
import { ask, meta, operationsById, operationsIn, type Reads, valuesOf } from "./reads.ts";

/**
 * The orders of the lanes in four successive batches: each lower lane comes first in one of them, so it never starves
 * [M5].
 */
const LANE_ORDERS = [
  [0, 1, 2],
  [0, 1, 2],
  [1, 0, 2],
  [2, 1, 0],
] as const;

/** How many unblocked operations are read for one batch, so a backlog of them does not slow down every batch [H2]. */
const UNBLOCKED_WINDOW = 100 + LIMITS.transactionOperations;

export interface BatchRequest {
  readonly limits: BatchLimits;
  /** Counts the batches; it selects the order of the lanes. */
  readonly round: number;
  /** Whether an operation must not be sent for now. */
  skip(operation: StoredOperation): boolean;
}

export interface Batch {
  readonly selected: readonly Selected[];
  /** There were no candidates at all. */
  readonly isEmpty: boolean;
  readonly identity: Identity | undefined;
  readonly point: SyncPoint | undefined;
}

/**
 * Chooses a batch, at first from the journal alone if there is one. If nothing of it can be sent, all lanes are tried,
 * in each of their orders: what must be sent first may lie beyond the journal, or beyond the window of its lane (L6).
 */
export function* nextBatch(request: BatchRequest): StorageScript<Batch> {
  for (let turn = 0; ; turn += 1) {
    const found = yield* selectRound({ ...request, round: request.round + turn }, turn === 0);
    const { selected, isEmpty } = found.value;
    if (selected.length > 0 || isEmpty || turn === LANE_ORDERS.length - 1) return found;
  }
}

function* selectRound(request: BatchRequest, journalAlone: boolean): StorageScript<Batch> {
  const [[queue = EMPTY_QUEUE, point, identity]] = yield* ask([meta(QUEUE, SYNC, IDENTITY)]);
  // The window has room for a whole transaction beyond the limit, so a transaction at the limit is never taken for cut.
  const window = request.limits.maxOperations + LIMITS.transactionOperations;
  const lanes = LANE_ORDERS[request.round % LANE_ORDERS.length] ?? LANE_ORDERS[0];
  const scanned = yield* ask([
    operationsIn(QUEUE_INDEX, journalRange, window),
    operationsIn(QUEUE_INDEX, unblockedRange(queue.unblockRound), UNBLOCKED_WINDOW),
    ...lanes.map((lane) => operationsIn(QUEUE_INDEX, laneRange(lane), window)),
  ]);
  const [journal = [], unblocked = [], ...lists] = scanned.map(valuesOf);
  // The journal comes first, whatever the lanes: what the lost history had accepted re-enters before anything new
  // [C8.6].
  const first = wholeGroups(journal, window);
  // Unblocked operations come after the lanes' window and do not fill it: a backlog of them may wait for an operation
  // in it.
  const behind = [...wholeGroups(lists.flat(), window), ...wholeGroups(unblocked, UNBLOCKED_WINDOW)];
  const candidates = journalAlone && journal.length > 0 ? first : [...first, ...behind];
  const others = yield* readOthers(candidates, queue.edits > 0);
  const selected = selectBatch({
    candidates,
    others,
    limits: request.limits,
    skip: request.skip,
  });
  return {
    writes: [],
    value: {
      selected,
      isEmpty: candidates.length === 0,
      identity,
      point,
    },
  };
}

/**
 * The first `window` operations, without the groups that the window may have cut. Those can only be groups of the last
 * local transaction: its members are adjacent, but not ordered by group. A window is larger than any transaction.
 */
function wholeGroups(found: readonly StoredOperation[], window: number): readonly StoredOperation[] {
  if (found.length < window) return found;
  const last = found[window - 1]?.transaction;
  return found.slice(0, window).filter(({ group, transaction }) => group === undefined || transaction !== last);
}

/**
 * Reads the operations that may have to be sent first. Most tills have only sales and increments waiting, which are all
 * in their lanes: while no record is being edited and nothing is blocked, there are no such operations.
 */
function* readOthers(candidates: readonly StoredOperation[], editsOpen: boolean): Reads<readonly StoredOperation[]> {
  if (!editsOpen) return [];
  const subjects = new Set<string>();
  const transactions = new Set<string>();
  for (const operation of candidates) {
    if (operation.kind === "record") subjects.add(subjectOf(operation.collection, operation.entityId));
    for (const reference of operation.references ?? []) subjects.add(reference);
    if (operation.group !== undefined && operation.transaction !== undefined && !isCommercial(operation))
      transactions.add(operation.transaction);
  }
  const scanned = yield* ask([
    ...[...subjects].map((subject) => operationsIn(SUBJECT_INDEX, replayedRange(subject))),
    ...[...transactions].map((transaction) => operationsIn(TRANSACTION_INDEX, transactionRange(transaction))),
  ]);
  const found = new Map(scanned.flatMap(valuesOf).map((operation) => [operation.id, operation]));
  const blockers = [...found.values()]
    .flatMap((o) => (isIn(o, "blocked") ? o.status.blockedBy : []))
    .filter((id) => !found.has(id));
  const [read] = yield* ask([operationsById(blockers)]);
  for (const blocker of read) if (blocker) found.set(blocker.id, blocker);
  return [...found.values()];
}
