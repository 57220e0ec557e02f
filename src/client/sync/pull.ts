/** Pulls what other devices did, page by page. */
import { LIMITS } from "../../protocol/constants.ts";
import { jsonBytes } from "../../shared/json.ts";
import { afterAnswer, afterTooSlow, fullSize, isTooSlow, type RequestSize } from "../decide/request-size.ts";
import type { MachineEvent } from "../decide/sync-machine.ts";
import { sweepStep } from "../scripts/upkeep.ts";
import { type CursorState, cursorKey, FIRST_CURSOR } from "../state/meta.ts";
import { META } from "../state/tables.ts";
import type { CallContext } from "./call-context.ts";

/** The rows of one page. A page is stored in one transaction, and a sale must not wait long for it. */
const PULL_LIMIT = 500;
/**
 * The rows of one page during the first sync, when nothing can be sold yet: fewer and larger transactions are faster.
 */
const FIRST_PULL_LIMIT = LIMITS.pullChanges;

const FULL_PAGE = { count: LIMITS.pullChanges, bytes: LIMITS.pullBytes };

/**
 * What this session has learnt of the line. It is not stored: the next session may have another line, and learns it
 * within a few deadlines.
 */
export interface PageSize {
  current: RequestSize;
}
export const fullPage = (): PageSize => ({ current: fullSize(FULL_PAGE) });

/** Pulls one page of each collection, and applies it. */
export async function pull(
  call: CallContext,
  size: PageSize,
  fence: number,
  signal: AbortSignal,
): Promise<MachineEvent> {
  const { transport } = call;
  const [identity, { epoch, marks }] = await call.whoAndWhere();
  if (epoch === undefined) return { kind: "reregister" };
  const { incarnation, deviceId: id } = identity;
  // Once space has run out, what is left is for sales: this pull asks for the device's own results, but for no rows.
  const { collections, isFirst } = call.isFull ? NOTHING : await cursorsOf(call);
  const limit = Math.min(size.current.count, isFirst ? FIRST_PULL_LIMIT : PULL_LIMIT);
  const { schemaVersion, schemaVersions } = call;
  const asks = { schemaVersion, schemaVersions, collections, limit, ...call.answerBound(size.current) };
  const request = { device: { id, incarnation }, epoch, marks, ...asks };
  const sentAt = call.clock.monotonic();
  const result = await transport.pull(request, call.transportCall(identity, signal));
  const tookMs = call.clock.monotonic() - sentAt;
  if (!result.ok) {
    const asked = { count: limit, bytes: size.current.bytes };
    if (isTooSlow(result.failure, tookMs)) size.current = afterTooSlow(size.current, asked, tookMs);
    return call.afterFailure("pull", result.failure, fence);
  }
  call.contact(result.timing);
  const binding = { fence, epoch, incarnation, cursors: collections };
  const outcome = await call.apply(binding, { ...result.value, serverTime: result.timing.serverTime });
  if (outcome.stale) return call.stale(fence);

  const pages = Object.entries(result.value.pages);
  const pulled = pages.reduce((sum, [, page]) => sum + page.changes.length, 0);
  call.notice({ kind: "moved", pushed: 0, pulled });
  if (size.current.patienceMs !== undefined) {
    const carried = { count: pulled, bytes: jsonBytes(JSON.stringify(result.value)) };
    size.current = afterAnswer(size.current, FULL_PAGE, carried, tookMs);
  }
  for (const [name, cursor] of Object.entries(outcome.cursors)) {
    // Not before the last page: rows that a later page brings must not be swept away.
    if (cursor.sweep !== undefined && !result.value.pages[name]?.more) await sweep(call, name, fence);
  }
  // If there is more but nothing moved, the next tick asks again, not the next millisecond.
  const isMoved = ([name, page]: (typeof pages)[number]) =>
    outcome.cursors[name]?.cursor === page.cursor && (page.changes.length > 0 || page.cursor !== collections[name]);
  const moved = pages.some(isMoved) || (result.value.results.length > 0 && result.value.mark !== marks?.pull);
  return { kind: "pulled", more: moved && pages.some(([, page]) => page.more) };
}

interface Wanted {
  readonly collections: Readonly<Record<string, string | null>>;
  /** Whether some collection has never been pulled to its end. */
  readonly isFirst: boolean;
}
const NOTHING: Wanted = { collections: {}, isFirst: false };

async function cursorsOf({ store, names }: CallContext): Promise<Wanted> {
  const stored = await store.get<CursorState>(META, names.map(cursorKey));
  return {
    collections: Object.fromEntries(names.map((name, index) => [name, (stored[index] ?? FIRST_CURSOR).cursor])),
    isFirst: names.some((_, index) => !stored[index]?.everComplete),
  };
}

/**
 * In bounded steps, so other transactions can run in between. What a crash leaves undone, the next pulled page
 * continues.
 */
async function sweep({ store }: CallContext, collection: string, fence: number): Promise<void> {
  const step = () =>
    store.transact(
      "sweep",
      "relaxed",
      [collection],
      () => sweepStep(collection, fence),
      ({ changes }) => ({ changes }),
    );
  while ((await step()).more);
}
