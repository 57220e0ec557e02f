/** Reads the head of the outbox and chooses the next batch. Looks at a window, never at the whole queue (L12). */

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

/** One batch in four begins with the lower lanes: weighted, not absolute, so that low never starves [M5]. */
const LANE_ORDERS = [
  [0, 1, 2],
  [0, 1, 2],
  [1, 0, 2],
  [2, 1, 0],
] as const;

/** Blocked operations that are looked at for one batch: a backlog of them must not make each one slow [H2]. */
const UNBLOCKED_WINDOW = 100 + LIMITS.transactionOperations;

export interface BatchRequest {
  readonly limits: BatchLimits;
  /** Counts the batches. */
  readonly round: number;
  skip(operation: StoredOperation): boolean;
}

export interface Batch {
  readonly selected: readonly Selected[];
  /** There was nothing to choose from. */
  readonly isEmpty: boolean;
  readonly identity: Identity | undefined;
  readonly point: SyncPoint | undefined;
}

/**
 * What comes first may lie behind the window of its lane, or behind the journal: where nothing can go, the other lanes' fronts are
 * looked at too (L6).
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
  // A whole transaction fits behind the limit, so that one at the edge is never mistaken for cut.
  const window = request.limits.maxOperations + LIMITS.transactionOperations;
  const lanes = LANE_ORDERS[request.round % LANE_ORDERS.length] ?? LANE_ORDERS[0];
  const scanned = yield* ask([
    operationsIn(QUEUE_INDEX, journalRange, window),
    operationsIn(QUEUE_INDEX, unblockedRange(queue.unblockRound), UNBLOCKED_WINDOW),
    ...lanes.map((lane) => operationsIn(QUEUE_INDEX, laneRange(lane), window)),
  ]);
  const [journal = [], unblocked = [], ...lists] = scanned.map(valuesOf);
  // Journal first, lanes ignored: what the lost history had taken re-enters before anything new [C8.6].
  const first = wholeGroups(journal, window);
  // What was woken stands behind the window, not in it: a backlog may be waiting for it.
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
 * The first of them, without the groups that the window may have cut: those of the last local transaction, whose members stand together,
 * but not group by group. A window is larger than any.
 */
function wholeGroups(found: readonly StoredOperation[], window: number): readonly StoredOperation[] {
  if (found.length < window) return found;
  const last = found[window - 1]?.transaction;
  return found.slice(0, window).filter(({ group, transaction }) => group === undefined || transaction !== last);
}

/** What goes first. Most tills hold sales and increments only, and while no record is being edited there is nothing to look for. */
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
