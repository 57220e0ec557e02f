/**
 * The drain transaction stores an answer's results, rows, mark and cursors, all together or not at all. An answer is
 * applied only if the store still has the fence, epoch, incarnation and cursors with which it was requested, and if the
 * answer names that epoch. Otherwise it is stale and is dropped: another tab, or this store in an earlier state, has
 * requested it, or the server has begun another epoch.
 */

import type { OperationResult, PullPage } from "../../protocol/types.ts";
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { MintContext, Target } from "../decide/mint.ts";
import { decidePullPage, waitsFor } from "../decide/pull-page.ts";
import { decideResults, type OperationEvent } from "../decide/results.ts";
import type { RowChange } from "../decide/workspace.ts";
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
import { META } from "../state/tables.ts";
import { pruneJournal } from "./journal.ts";
import { loadWorkspace } from "./load.ts";
import { ask, cursorsOf, meta } from "./reads.ts";
import { findOldest, sweepAgain } from "./upkeep.ts";

/** What the store had when the request was made. */
export interface AnswerBinding {
  readonly fence: number;
  readonly epoch: string;
  readonly incarnation: string;
  /** The cursors of a pull, by collection; absent for a push. */
  readonly cursors?: Readonly<Record<string, string | null>> | undefined;
}

/** What a push or a pull was answered with. `serverTime`: epoch ms; `pages`: the pages of a pull, by collection. */
export interface AppliedAnswer {
  readonly epoch: string;
  readonly serverTime: number;
  /** The best estimate of the server's clock minus the till's, in ms. */
  readonly offsetMs?: number | undefined;
  readonly mark: string;
  readonly results: readonly OperationResult[];
  /** The answer to a push could not hold all results that the device lacks. */
  readonly moreResults?: boolean | undefined;
  readonly pages?: Readonly<Record<string, PullPage>> | undefined;
  /** The collections of which a pull brought no page, and why. */
  readonly waiting?: Readonly<Record<string, string>> | undefined;
}

export type AnswerResult =
  | { readonly stale: true }
  | {
      readonly stale: false;
      readonly events: readonly OperationEvent[];
      readonly changes: readonly RowChange[];
      readonly queue: QueueState;
      readonly point: SyncPoint;
      /** The cursors of the collections of which a page was stored. */
      readonly cursors: Readonly<Record<string, CursorState>>;
    };

/** Applies an answer, in one transaction. `context`: for operations that resolvers make. */
export function* applyAnswer(
  collections: ResolvedCollections,
  context: MintContext,
  binding: AnswerBinding,
  answer: AppliedAnswer,
): StorageScript<AnswerResult> {
  const { pages, waiting } = readable(collections, answer);
  const names = [...pages.map(([collection]) => collection), ...Object.keys(waiting)];
  const [[identity], stored] = yield* ask([meta(IDENTITY), cursorsOf(names)]);
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
  const asked = names.every(
    (collection, index) => binding.cursors === undefined || binding.cursors[collection] === cursors[index]?.cursor,
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
  for (const [index, [collection, waits]] of Object.entries(waiting).entries()) {
    const cursor = cursors[pages.length + index] ?? FIRST_CURSOR;
    if (cursor.waits !== waits) moved[collection] = { ...cursor, waits };
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
    value: {
      stale: false,
      events: [...events, ...workspace.faults.map((error) => ({ kind: "fault", error }) as const)],
      changes: done.changes,
      queue: workspace.queue,
      point: next,
      cursors: moved,
    },
  };
}

/** The pages that the app can read, and why it can't read the others [H7]. */
function readable(
  collections: ResolvedCollections,
  { pages = {}, waiting = {} }: AppliedAnswer,
): { readonly pages: readonly (readonly [string, PullPage])[]; readonly waiting: Readonly<Record<string, string>> } {
  const known = Object.entries(collections).map(([name, { schemaVersion }]) => {
    const page = Object.hasOwn(pages, name) ? pages[name] : undefined;
    const code = Object.hasOwn(waiting, name) ? waiting[name] : undefined;
    return { name, page, waits: waitsFor(page, code, schemaVersion) };
  });
  return {
    pages: known.flatMap(({ name, page, waits }) => (page && waits === undefined ? [[name, page] as const] : [])),
    waiting: Object.fromEntries(known.flatMap(({ name, waits }) => (waits === undefined ? [] : [[name, waits]]))),
  };
}

/**
 * The sync point after an answer. Pushes and pulls have a mark each, and the server compares both with its history
 * [C8].
 */
function advance(point: SyncPoint, answer: AppliedAnswer, isPull: boolean): SyncPoint {
  const known = { ...point, offsetMs: answer.offsetMs ?? point.offsetMs };
  if (isPull) return { ...known, marks: { ...point.marks, pull: answer.mark }, lastPullAt: answer.serverTime };
  return { ...known, marks: { ...point.marks, push: answer.mark }, lastPushAt: answer.serverTime };
}
