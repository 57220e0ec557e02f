/**
 * The drain transaction: an answer's results and rows, its mark and its cursors, all together or not at all. It is applied only while
 * fence, epoch, incarnation and the cursors it was asked with are still the stored ones; else it is somebody's old answer.
 */

import { JOURNAL_WINDOW_MS } from "../../protocol/constants.ts";
import type { OperationResult, PullPage } from "../../protocol/types.ts";
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { MintContext, Target } from "../decide/mint.ts";
import { decidePullPage } from "../decide/pull-page.ts";
import { decideResults, type OperationEvent } from "../decide/results.ts";
import type { RowChange, Workspace } from "../decide/workspace.ts";
import type { StorageScript, StorageWrite } from "../ports/storage.ts";
import {
  type CursorState,
  cursorKey,
  FIRST_CURSOR,
  generationOf,
  IDENTITY,
  type QueueState,
  SYNC,
  type SyncPoint,
} from "../state/meta.ts";
import { isIn, isWaiting, type OperationState, type StoredOperation } from "../state/operation.ts";
import {
  CONFLICTS,
  META,
  OPERATIONS,
  STATE_INDEX,
  stateRange,
  TRANSACTION_INDEX,
  transactionRange,
} from "../state/tables.ts";
import { loadWorkspace } from "./load.ts";
import { ask, conflictsIn, cursorsOf, meta, operationsIn, type Reads, valuesOf } from "./reads.ts";

/** What the request was made with. */
export interface AnswerBinding {
  readonly fence: number;
  readonly epoch: string;
  readonly incarnation: string;
  /** Of a pull: the cursors it was asked with. */
  readonly cursors?: Readonly<Record<string, string | null>> | undefined;
}

export interface AppliedAnswer {
  readonly epoch: string;
  readonly serverTime: number;
  readonly mark: string;
  readonly results: readonly OperationResult[];
  readonly pages?: Readonly<Record<string, PullPage>> | undefined;
}

export type AnswerResult =
  | { readonly stale: true }
  | {
      readonly stale: false;
      readonly events: readonly OperationEvent[];
      readonly changes: readonly RowChange[];
      readonly queue: QueueState;
      readonly point: SyncPoint;
      readonly cursors: Readonly<Record<string, CursorState>>;
    };

export function* applyAnswer(
  collections: ResolvedCollections,
  context: MintContext,
  binding: AnswerBinding,
  answer: AppliedAnswer,
): StorageScript<AnswerResult> {
  const pages = Object.entries(answer.pages ?? {}).filter(([collection]) => Object.hasOwn(collections, collection));
  const [[identity], stored] = yield* ask([meta(IDENTITY), cursorsOf(pages.map(([collection]) => collection))]);
  const cursors = stored.map((cursor) => cursor ?? FIRST_CURSOR);
  const targets = pages.flatMap(([collection, page]) =>
    page.changes.map((change): Target => ({ collection, entityId: change.id })),
  );
  const loaded = yield* loadWorkspace(collections, {
    operationIds: answer.results.map((r) => r.id),
    targets,
    forSettling: true,
    rebasing: true,
  });
  const { workspace, point } = loaded;
  const asked = pages.every(
    ([collection], index) => binding.cursors === undefined || binding.cursors[collection] === cursors[index]?.cursor,
  );
  const current = point.fence === binding.fence && point.epoch === binding.epoch && answer.epoch === binding.epoch;
  if (!current || !asked || identity?.incarnation !== binding.incarnation)
    return { value: { stale: true }, writes: [] };

  const events = decideResults(workspace, context, {
    ...answer,
    siblings: loaded.siblings,
    conflict: loaded.conflict,
  });
  const moved: Record<string, CursorState> = {};
  for (const [index, [collection, page]] of pages.entries()) {
    moved[collection] = decidePullPage(
      workspace,
      collection,
      page,
      cursors[index] ?? FIRST_CURSOR,
      generationOf(point, collection),
    );
  }
  yield* findOldest(workspace, answer.results.length);
  const next = advance(point, answer, pages.length > 0 || answer.pages !== undefined);
  const pruned = yield* pruneJournal(answer.serverTime);
  const done = workspace.finish();
  const writes: StorageWrite[] = [...done.writes, ...pruned, { kind: "put", table: META, key: SYNC, value: next }];
  const swept = yield* sweepAgain(done.changes, point, moved);
  for (const [collection, cursor] of Object.entries({ ...moved, ...swept }))
    writes.push({ kind: "put", table: META, key: cursorKey(collection), value: cursor });
  return {
    writes,
    value: { stale: false, events, changes: done.changes, queue: workspace.queue, point: next, cursors: moved },
  };
}

/**
 * A resync leaves the rows that have unfinished work on them. When that is over and no answer has brought the row, it is gone on the
 * server: the next pull sweeps once more [H10].
 */
function* sweepAgain(
  changes: readonly RowChange[],
  point: SyncPoint,
  moved: Readonly<Record<string, CursorState>>,
): Reads<Readonly<Record<string, CursorState>>> {
  const isLeft = ({ collection, after }: RowChange) =>
    after.states === undefined && after.version > 0 && after.generation < generationOf(point, collection);
  const names = [...new Set(changes.filter(isLeft).map(({ collection }) => collection))];
  const [stored] = yield* ask([cursorsOf(names)]);
  const due = names.flatMap((name, index) => {
    const cursor = moved[name] ?? stored[index];
    const isSwept = cursor?.complete && cursor.generation === generationOf(point, name) && cursor.sweep === undefined;
    return cursor && isSwept ? [[name, { ...cursor, sweep: "" }] as const] : [];
  });
  return Object.fromEntries(due);
}

/** One mark of each kind: the server compares both with its history [C8]. */
function advance(point: SyncPoint, answer: AppliedAnswer, isPull: boolean): SyncPoint {
  if (isPull) return { ...point, marks: { ...point.marks, pull: answer.mark }, lastPullAt: answer.serverTime };
  return { ...point, marks: { ...point.marks, push: answer.mark }, lastPushAt: answer.serverTime };
}

/** Since when the outbox has something. The stored states are those before this answer: more are looked at than it can have settled. */
function* findOldest(workspace: Workspace, answered: number): Reads<void> {
  if (Object.keys(workspace.queue.waiting).length === 0) return; // the workspace says so itself
  const oldest = (state: OperationState) => operationsIn(STATE_INDEX, stateRange(state), OLDEST_WINDOW + answered);
  const found = (yield* ask([oldest("pending"), oldest("blocked")])).flatMap(valuesOf);
  const still = found.map((operation) => workspace.operation(operation.id) ?? operation).filter(isWaiting);
  if (still.length > 0) workspace.setOldest(Math.min(...still.map((o) => o.occurredAt)));
}
const OLDEST_WINDOW = 16;

/**
 * Entries past the window go, by server time, oldest first, whole wire transactions at a time, a few with each answer of the same epoch
 * [C8.7]; settled conflicts with them.
 */
export function* pruneJournal(serverTime: number): Reads<readonly StorageWrite[]> {
  const horizon = serverTime - JOURNAL_WINDOW_MS;
  const [conflicts, ...finished] = yield* ask([
    conflictsIn(STATE_INDEX, stateRange("settled"), PRUNED_PER_ANSWER),
    ...HISTORY.map((state) => operationsIn(STATE_INDEX, stateRange(state), PRUNED_PER_ANSWER)),
  ]);
  // Only history: what is on a desk (a rejected edit, a quarantined sale) waits for people, however long (L1).
  const isDue = ({ value }: { readonly value: StoredOperation }) =>
    isIn(value, ...HISTORY) && value.status.result.at < horizon;
  const due = finished.flat().filter(isDue);
  const alone = due.filter(({ value }) => value.group === undefined);
  const groups = new Map(due.map(({ value }) => [value.group, value.transaction]));
  groups.delete(undefined);
  const bound = [...groups].flatMap(([group, transaction]) =>
    transaction === undefined ? [] : [{ group, transaction }],
  );
  const members = yield* ask(
    bound.map(({ transaction }) => operationsIn(TRANSACTION_INDEX, transactionRange(transaction))),
  );
  const whole = bound.flatMap(({ group }, index) => {
    const own = (members[index] ?? []).filter(({ value }) => value.group === group);
    return own.every(isDue) ? own : [];
  });
  const gone = [...alone, ...whole];
  const settled = conflicts.filter(({ value }) => (value.settled?.at ?? horizon) < horizon);
  return [
    ...gone.map(({ primary }): StorageWrite => ({ kind: "delete", table: OPERATIONS, key: primary })),
    ...settled.map(({ primary }): StorageWrite => ({ kind: "delete", table: CONFLICTS, key: primary })),
  ];
}

const PRUNED_PER_ANSWER = 4;
const HISTORY = ["applied", "superseded", "closed_elsewhere"] as const;
