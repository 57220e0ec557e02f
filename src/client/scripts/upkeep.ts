/** Small steps between requests: waking what is blocked, and removing what a resync did not bring. (client) */
import { omit } from "../../shared/omit.ts";
import type { RowChange } from "../decide/workspace.ts";
import type { StorageScript, StorageWrite } from "../ports/storage.ts";
import { get, scan } from "../ports/storage.ts";
import type { CursorState, QueueState, StoredRow, SyncPoint } from "../stored.ts";
import { cursorKey, META, OPERATIONS, QUEUE, SYNC, tableOf } from "../stored.ts";
import { STATE_INDEX, stateRange } from "../tables.ts";

/** At the latest every minute, whatever was or was not heard [H2]. */
export function* wakeBlocked(): StorageScript<{ readonly any: boolean; readonly queue: QueueState | undefined }> {
  const [stored] = yield* get<QueueState>(META, [QUEUE]);
  const blocked = yield* scan<unknown>(OPERATIONS, { index: STATE_INDEX, range: stateRange("blocked"), limit: 1 });
  if (stored === undefined || blocked.length === 0) return { value: { any: false, queue: stored }, writes: [] };
  const next: QueueState = { ...stored, wake: stored.wake + 1 };
  return { value: { any: true, queue: next }, writes: [{ kind: "put", table: META, key: QUEUE, value: next }] };
}

const SWEPT_PER_STEP = 500;

export interface Swept {
  readonly more: boolean;
  readonly changes: readonly RowChange[];
}

/** One bounded step of removing rows whose base is of an older generation [H10]. Rows with anything unfinished on them stay. */
export function* sweepStep(collection: string, fence: number): StorageScript<Swept> {
  const [point, stored] = yield* get<unknown>(META, [SYNC, cursorKey(collection)]);
  const cursor = stored as CursorState | undefined;
  if ((point as SyncPoint | undefined)?.fence !== fence || cursor?.sweep === undefined)
    return { value: { more: false, changes: [] }, writes: [] };
  const table = tableOf(collection);
  const rows = yield* scan<StoredRow>(table, {
    limit: SWEPT_PER_STEP,
    ...(cursor.sweep !== "" && { range: { lower: cursor.sweep, lowerOpen: true } }),
  });
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
