/** Keeps the store in order: unblocks operations, repairs rows, and removes rows that a resync did not bring. */

import type { ResolvedCollections } from "../../schema/collections.ts";
import { omit } from "../../shared/omit.ts";
import type { RowChange, Workspace } from "../decide/workspace.ts";
import type { StorageScript, StorageWrite } from "../ports/storage.ts";
import {
  type CursorState,
  cursorKey,
  generationOf,
  QUEUE,
  type QueueState,
  SYNC,
  type SyncPoint,
} from "../state/meta.ts";
import { isWaiting, type OperationState } from "../state/operation.ts";
import { META, STATE_INDEX, SUBJECT_INDEX, stateRange, subjectRange, tableOf } from "../state/tables.ts";
import { loadWorkspace } from "./load.ts";
import { ask, cursorsOf, meta, operationsIn, orphans, type Reads, scanRows, valuesOf } from "./reads.ts";

/**
 * Lets everything that is blocked be sent again. Called at least once a minute, whether or not a final result arrived
 * [H2]. `any`: whether something was blocked.
 */
export function* unblockAll(): StorageScript<{ readonly any: boolean; readonly queue: QueueState | undefined }> {
  const [[stored]] = yield* ask([meta(QUEUE)]);
  const [blocked] = yield* ask([operationsIn(STATE_INDEX, stateRange("blocked"), 1)]);
  if (stored === undefined || blocked.length === 0) return { value: { any: false, queue: stored }, writes: [] };
  const next: QueueState = { ...stored, unblockRound: stored.unblockRound + 1 };
  return { value: { any: true, queue: next }, writes: [{ kind: "put", table: META, key: QUEUE, value: next }] };
}

const ADOPTED_PER_STEP = 100;

/** One bounded step of repairing rows whose operations changed state while the app did not have their collection. */
export function* adoptStep(collections: ResolvedCollections): StorageScript<StepResult> {
  const [found] = yield* ask([orphans()]);
  const known = found.filter(({ value }) => Object.hasOwn(collections, value.collection)).slice(0, ADOPTED_PER_STEP);
  const scanned = yield* ask(
    known.map(({ value }) => operationsIn(SUBJECT_INDEX, subjectRange(value.collection, value.entityId))),
  );
  const operationIds = scanned.flat().map(({ value }) => value.id);
  const { workspace } = yield* loadWorkspace(collections, { targets: known.map(({ value }) => value), operationIds });
  for (const { value } of known) workspace.recountStates(value.collection, value.entityId);
  const { writes, changes } = workspace.finish();
  const gone = known.map(({ primary }): StorageWrite => ({ kind: "delete", table: META, key: primary }));
  return { value: { more: known.length === ADOPTED_PER_STEP, changes }, writes: [...writes, ...gone] };
}

const SWEPT_PER_STEP = 500;

/** `more`: another step has something to do. */
export interface StepResult {
  readonly more: boolean;
  readonly changes: readonly RowChange[];
}

/**
 * One bounded step of removing rows whose base is of an older generation [H10]. Rows with unfinished operations stay.
 */
export function* sweepStep(collection: string, fence: number): StorageScript<StepResult> {
  const [[point], [cursor]] = yield* ask([meta(SYNC), cursorsOf([collection])]);
  if (point?.fence !== fence || cursor?.sweep === undefined) return { value: { more: false, changes: [] }, writes: [] };
  const table = tableOf(collection);
  const [rows] = yield* ask([
    scanRows(collection, {
      limit: SWEPT_PER_STEP,
      ...(cursor.sweep !== "" && { range: { lower: cursor.sweep, lowerOpen: true } }),
    }),
  ]);
  const gone = rows.filter(
    ({ value }) => value.generation < cursor.generation && value.states === undefined && value.version > 0,
  );
  const last = rows.at(-1)?.primary;
  const more = rows.length === SWEPT_PER_STEP && last !== undefined;
  const rest = omit(cursor, "sweep");
  const writes: StorageWrite[] = gone.map(({ primary }) => ({ kind: "delete", table, key: primary }));
  writes.push({ kind: "put", table: META, key: cursorKey(collection), value: more ? { ...rest, sweep: last } : rest });
  const changes = gone.map(({ value }): RowChange => {
    return { collection, id: value.id, before: value, after: { ...omit(value, "data"), rev: value.rev + 1 } };
  });
  return { value: { more, changes }, writes };
}

/**
 * A resync leaves rows with unfinished operations. Once these are finished and no answer has brought the row, it is
 * gone from the server: the next pull sweeps the collection once more [H10]. Returns the cursors that change.
 */
export function* sweepAgain(
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

/**
 * Sets since when the outbox has something. The stored states are those before this answer, so more operations are read
 * than it can have settled.
 */
export function* findOldest(workspace: Workspace, answered: number): Reads<void> {
  if (Object.keys(workspace.queue.waiting).length === 0) return; // the workspace clears it itself
  const oldest = (state: OperationState) => operationsIn(STATE_INDEX, stateRange(state), OLDEST_WINDOW + answered);
  const found = (yield* ask([oldest("pending"), oldest("blocked")])).flatMap(valuesOf);
  const still = found.map((operation) => workspace.operation(operation.id) ?? operation).filter(isWaiting);
  if (still.length > 0) workspace.setOldest(Math.min(...still.map((o) => o.occurredAt)));
}
const OLDEST_WINDOW = 16;
