/**
 * A pull: rows of all collections and this device's results, out of one snapshot (L4) [C6].
 *
 * - Collections come in the order in which they reference each other; they share one limit and one budget of bytes.
 * - A cursor never outruns its rows: it stands at the last row of a page, or at the end of what the snapshot shows.
 * - What is not reached keeps its cursor. What may not be read moves on, empty.
 */
import { LIMITS } from "../../protocol/constants.ts";
import type { FinalResult } from "../../protocol/types.ts";
import { jsonBytes } from "../../shared/json.ts";
import type { Principal } from "../policy-types.ts";
import { ask, type FeedPage, type StoreRead } from "../ports/store.ts";
import { decideAdmission, type Introduction, type Refusal } from "./admission.ts";
import { needsEpoch } from "./epoch.ts";
import { mayDo, type ServedCollection } from "./rows/catalog.ts";
import { changeTexts } from "./rows/change-text.ts";
import { type OwnResults, ownResults } from "./rows/feed.ts";
import { type Mark, markOf } from "./rows/marks.ts";
import { runDecision } from "./rows/run.ts";
import { scopesSeen } from "./rows/scope.ts";
import type { WorkingSet } from "./rows/working-set.ts";

export interface Cursor {
  readonly epoch: string;
  readonly collection: string;
  /** What the reader may see: another right or branch would have seen other rows. */
  readonly view: string;
  readonly schemaVersion: number;
  readonly position: number;
  /** About how many rows follow, of a first sync. */
  readonly remaining: number | undefined;
}

/** `null`: from the start. `"forged"`: not this server's, or another tenant's. */
export type CursorClaim = Cursor | null | "forged";

export interface PullInput extends Introduction {
  readonly cursors: ReadonlyMap<string, CursorClaim>;
  readonly limit: number;
}

export interface DecidedPage {
  /** Each the JSON of a change. */
  readonly changes: readonly string[];
  readonly cursor: Cursor;
  readonly more: boolean;
}

export type PullOutcome =
  | {
      readonly kind: "answered";
      readonly epoch: string;
      readonly results: readonly FinalResult[];
      readonly mark: Mark;
      readonly pages: ReadonlyMap<string, DecidedPage>;
    }
  | { readonly kind: "stale"; readonly epoch: string; readonly collections?: readonly string[] | undefined }
  | Refusal;

interface Head {
  readonly kind: "current";
  readonly own: OwnResults;
}

export function* decidePull(input: PullInput): Generator<readonly StoreRead[], PullOutcome, readonly unknown[]> {
  const { value: head, ws } = yield* runDecision<Head | PullOutcome>({
    prefetch: (set) => void begin(set, input),
    decide: (set) => begin(set, input),
  });
  if (head.kind !== "current") return head;
  const { upTo, results } = head.own;
  const budget: Budget = { changes: input.limit, bytes: LIMITS.pullBytes };
  const pages = new Map<string, DecidedPage>();
  for (const name of input.session.catalog.order) {
    const claim = input.cursors.get(name);
    const served = input.session.catalog.collections.get(name);
    if (claim === undefined || claim === "forged" || served === undefined) continue;
    const from = claim ?? (yield* firstCursor(ws, served, input.session.principal, upTo));
    pages.set(name, yield* readPage(served, input.session.principal, from, upTo, budget));
  }
  return { kind: "answered", epoch: ws.clock.epoch, results, mark: markOf(ws, upTo), pages };
}

function begin(ws: WorkingSet, input: PullInput): Head | PullOutcome {
  const admitted = decideAdmission(ws, input);
  if (admitted.kind !== "admitted") return admitted;
  if (admitted.standing === "stale") return { kind: "stale", epoch: ws.clock.epoch };
  const { session, marks, cursors } = input;
  const unusable: string[] = [];
  for (const [name, claim] of cursors) {
    if (claim === null) continue;
    const served = session.catalog.collections.get(name);
    const fits = claim !== "forged" && served !== undefined && isUsable(ws, served, session.principal, claim);
    if (!fits) unusable.push(name);
    // The till has seen more than this server has.
    else if (claim.position > ws.clock.position) return needsEpoch(ws);
  }
  if (unusable.length > 0) return { kind: "stale", epoch: ws.clock.epoch, collections: unusable };
  return { kind: "current", own: ownResults(ws, session, marks) };
}

function isUsable(ws: WorkingSet, served: ServedCollection, principal: Principal, cursor: Cursor): boolean {
  return (
    cursor.collection === served.name &&
    cursor.epoch === ws.clock.epoch &&
    cursor.schemaVersion === served.resolved.schemaVersion &&
    cursor.view === viewOf(served, principal)
  );
}

function viewOf(served: ServedCollection, principal: Principal): string {
  if (!mayDo(served, "read", principal)) return "nothing";
  return principal.branch === undefined || served.policy.scope === "tenant" ? "all" : `branch ${principal.branch}`;
}

function* firstCursor(
  ws: WorkingSet,
  served: ServedCollection,
  principal: Principal,
  upTo: number,
): Generator<readonly StoreRead[], Cursor, readonly unknown[]> {
  const view = viewOf(served, principal);
  const request = {
    kind: "countChanges",
    collection: served.name,
    scopes: scopesSeen(principal),
    after: 0,
    upTo,
  } as const;
  const remaining = view === "nothing" ? 0 : yield* ask(request);
  const { schemaVersion } = served.resolved;
  return { epoch: ws.clock.epoch, collection: served.name, view, schemaVersion, position: 0, remaining };
}

interface Budget {
  changes: number;
  bytes: number;
}

function* readPage(
  served: ServedCollection,
  principal: Principal,
  from: Cursor,
  upTo: number,
  budget: Budget,
): Generator<readonly StoreRead[], DecidedPage, readonly unknown[]> {
  const end: Cursor = { ...from, position: Math.max(from.position, upTo), remaining: undefined };
  if (from.view === "nothing" || from.position >= upTo) return { changes: [], cursor: end, more: false };
  if (budget.changes <= 0 || budget.bytes <= 0) return { changes: [], cursor: from, more: true };
  const isFirst = budget.bytes === LIMITS.pullBytes;
  const textOf = changeTexts(served);
  const changes: string[] = [];
  let position = from.position;
  for (;;) {
    // One more than the page may hold: it tells whether there is more.
    const bounds = { after: position, upTo, limit: budget.changes + 1, bytes: budget.bytes };
    const request = { kind: "changes", collection: served.name, scopes: scopesSeen(principal), ...bounds } as const;
    const { entries, more }: FeedPage = yield* ask(request);
    const fits = fitting(entries.slice(0, budget.changes).map(textOf), budget.bytes, isFirst && changes.length === 0);
    budget.changes -= fits.changes.length;
    budget.bytes -= fits.bytes;
    changes.push(...fits.changes);
    position = entries[fits.changes.length - 1]?.row.version ?? position;
    if (fits.changes.length < entries.length) {
      budget.bytes = Math.min(budget.bytes, 0);
      const remaining = from.remaining === undefined ? undefined : Math.max(0, from.remaining - changes.length);
      return { changes, cursor: { ...from, position, remaining }, more: true };
    }
    // What is stored may be larger than what goes out of it: the rest of a deleted row, or of one that was brought up to date.
    if (!more) return { changes, cursor: end, more: false };
  }
}

/** As many as the answer still holds. @param needsOne one change always comes, however large: a page that holds nothing would hold nothing for ever [M1] */
function fitting(
  all: readonly string[],
  budget: number,
  needsOne: boolean,
): { readonly changes: readonly string[]; readonly bytes: number } {
  if (all.length === 0) return { changes: all, bytes: 0 };
  // Nearly always all of them do: measured at once, without the commas between them.
  const together = jsonBytes(all.join(",")) - all.length + 1;
  if (together <= budget) return { changes: all, bytes: together };
  let bytes = 0;
  for (const [index, change] of all.entries()) {
    const more = jsonBytes(change);
    if (bytes + more > budget && !(needsOne && index === 0)) return { changes: all.slice(0, index), bytes };
    bytes += more;
  }
  return { changes: all, bytes };
}
