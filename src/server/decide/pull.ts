/**
 * A pull: rows of all collections and the results of this device, from one snapshot (L4) [C6].
 *
 * - Collections are read in the order in which they reference each other. They share one limit and one budget of bytes.
 * - A cursor never runs ahead of its rows: it points at the last row of its page, or at the end of what the snapshot
 *   shows.
 * - A collection that the page does not reach keeps its cursor. The cursor of a collection that may not be read
 *   advances without rows.
 */
import type { FinalResult, WaitingCode } from "../../protocol/types.ts";
import { jsonBytes } from "../../shared/json.ts";
import type { Principal } from "../policy-types.ts";
import { ask, type FeedPage, type StoreReadScript } from "../ports/store.ts";
import { decideAdmission, type Introduction, type Refusal } from "./admission.ts";
import { needsEpoch } from "./epoch.ts";
import { mayDo, type ServedCollection } from "./rows/catalog.ts";
import { changeTexts } from "./rows/change-text.ts";
import { answerBytes, type OwnResults, ownResults } from "./rows/feed.ts";
import { type Mark, markOf } from "./rows/marks.ts";
import { runDecision } from "./rows/run.ts";
import { scopesSeen } from "./rows/scope.ts";
import type { WorkingSet } from "./rows/working-set.ts";

export interface Cursor {
  readonly epoch: string;
  readonly collection: string;
  /** What the reader may see. With other rights, or in another branch, it would have seen other rows. */
  readonly view: string;
  readonly schemaVersion: number;
  readonly position: number;
  /** In a first sync: about how many rows follow. */
  readonly remaining: number | undefined;
}

/** `null`: from the start. `"forged"`: not issued by this server, or issued to another tenant. */
export type CursorClaim = Cursor | null | "forged";

export interface PullInput extends Introduction {
  readonly cursors: ReadonlyMap<string, CursorClaim>;
  /** The app's schema version of a collection, as far as the request names it. */
  readonly schemaVersions: ReadonlyMap<string, number>;
  readonly limit: number;
}

export interface DecidedPage {
  /** The JSON of each change. */
  readonly changes: readonly string[];
  readonly cursor: Cursor;
  readonly more: boolean;
  /** The schema version of the rows, if the request names another one or none. */
  readonly schemaVersion?: number | undefined;
}

export interface PullAnswer {
  readonly kind: "answered";
  readonly epoch: string;
  readonly results: readonly FinalResult[];
  /** A row in the results may contain the effects of results that come later. */
  readonly isAhead: boolean;
  /** The payload identities of those results, by id. */
  readonly hashes: ReadonlyMap<string, string>;
  readonly mark: Mark;
  readonly pages: ReadonlyMap<string, DecidedPage>;
  /** The collections that can't be sent, and why. */
  readonly waiting: ReadonlyMap<string, WaitingCode>;
}

export type PullOutcome =
  | PullAnswer
  | { readonly kind: "stale"; readonly epoch: string; readonly collections?: readonly string[] | undefined }
  | Refusal;

interface Head {
  readonly kind: "current";
  readonly own: OwnResults;
}

export function* decidePull(input: PullInput): StoreReadScript<PullOutcome> {
  const { value: head, ws } = yield* runDecision<Head | PullOutcome>({
    prefetch: (set) => void begin(set, input),
    decide: (set) => begin(set, input),
  });
  if (head.kind !== "current") return head;
  const { upTo, results } = head.own;
  const { catalog, principal } = input.session;
  const budget: Budget = { changes: input.limit, bytes: answerBytes(input), isUnused: true };
  // Behind the last result that fitted, the snapshot goes on.
  const isCut = upTo < ws.clock.position;
  const pages = new Map<string, DecidedPage>();
  const waiting = waitingOf(input);
  for (const name of catalog.order) {
    const claim = input.cursors.get(name);
    const served = catalog.collections.get(name);
    if (claim === undefined || claim === "forged" || served === undefined || waiting.has(name)) continue;
    const feed: CollectionFeed = { served, principal, upTo };
    const from = claim ?? (yield* firstCursor(feed, ws.clock.epoch));
    const page = yield* readPage(feed, from, budget);
    pages.set(name, { ...page, more: page.more || isCut, ...versionFor(input, served) });
  }
  const { isAhead, hashes } = head.own;
  const mark = markOf(ws, upTo);
  return { kind: "answered", epoch: ws.clock.epoch, results, hashes, isAhead, mark, pages, waiting };
}

/** A collection that the server lacks, or whose rows the app could not read, must not stop the others (L6) [H7]. */
function waitingOf({ session, cursors, schemaVersions }: PullInput): ReadonlyMap<string, WaitingCode> {
  const waiting = new Map<string, WaitingCode>();
  for (const name of cursors.keys()) {
    const served = session.catalog.collections.get(name);
    if (served === undefined) waiting.set(name, "unknown_collection");
    else if ((schemaVersions.get(name) ?? served.resolved.schemaVersion) < served.resolved.schemaVersion)
      waiting.set(name, "schema_older");
  }
  return waiting;
}

function versionFor(
  { schemaVersions }: PullInput,
  { name, resolved: { schemaVersion } }: ServedCollection,
): { readonly schemaVersion?: number } {
  return (schemaVersions.get(name) ?? 1) === schemaVersion ? {} : { schemaVersion };
}

function begin(ws: WorkingSet, input: PullInput): Head | PullOutcome {
  const admitted = decideAdmission(ws, input);
  if (admitted.kind !== "admitted") return admitted;
  if (admitted.standing === "stale") return { kind: "stale", epoch: ws.clock.epoch };
  const { session, cursors } = input;
  const waiting = waitingOf(input);
  const unusable: string[] = [];
  for (const [name, claim] of cursors) {
    if (claim === null || waiting.has(name)) continue;
    const served = session.catalog.collections.get(name);
    const fits = claim !== "forged" && served !== undefined && isUsable(ws, served, session.principal, claim);
    if (!fits) unusable.push(name);
    // The till has seen positions that this server does not have.
    else if (claim.position > ws.clock.position) return needsEpoch(ws);
  }
  if (unusable.length > 0) return { kind: "stale", epoch: ws.clock.epoch, collections: unusable };
  return { kind: "current", own: ownResults(ws, input) };
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

/** The changes of one collection that the principal may see, up to a position. */
interface CollectionFeed {
  readonly served: ServedCollection;
  readonly principal: Principal;
  readonly upTo: number;
}

function* firstCursor({ served, principal, upTo }: CollectionFeed, epoch: string): StoreReadScript<Cursor> {
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
  return { epoch, collection: served.name, view, schemaVersion, position: 0, remaining };
}

/** What the answer still holds: it is shared by all collections, and reduced by each. */
interface Budget {
  changes: number;
  bytes: number;
  /** No page has taken anything yet. */
  isUnused: boolean;
}

function* readPage(
  { served, principal, upTo }: CollectionFeed,
  from: Cursor,
  budget: Budget,
): StoreReadScript<DecidedPage> {
  const end: Cursor = { ...from, position: Math.max(from.position, upTo), remaining: undefined };
  if (from.view === "nothing" || from.position >= upTo) return { changes: [], cursor: end, more: false };
  if (budget.changes <= 0 || budget.bytes <= 0) return { changes: [], cursor: from, more: true };
  const isFirst = budget.isUnused;
  const textOf = changeTexts(served);
  const changes: string[] = [];
  let position = from.position;
  for (;;) {
    // One more than the page may hold: this shows whether there are more.
    const bounds = { after: position, upTo, limit: budget.changes + 1, bytes: budget.bytes };
    const request = { kind: "changes", collection: served.name, scopes: scopesSeen(principal), ...bounds } as const;
    const { entries, more }: FeedPage = yield* ask(request);
    const fits = fitting(entries.slice(0, budget.changes).map(textOf), budget.bytes, isFirst && changes.length === 0);
    budget.changes -= fits.changes.length;
    budget.bytes -= fits.bytes;
    changes.push(...fits.changes);
    if (fits.changes.length > 0) budget.isUnused = false;
    position = entries[fits.changes.length - 1]?.row.version ?? position;
    if (fits.changes.length < entries.length) {
      budget.bytes = Math.min(budget.bytes, 0);
      const remaining = from.remaining === undefined ? undefined : Math.max(0, from.remaining - changes.length);
      return { changes, cursor: { ...from, position, remaining }, more: true };
    }
    // What is stored may be larger than what is sent: a deleted row is sent without its data, and an upcast may shorten
    // a row. So a read that used up the bytes may not fill the page.
    if (!more) return { changes, cursor: end, more: false };
  }
}

/**
 * As many changes as the answer still holds.
 *
 * @param needsOne at least one change is taken, however large: an empty page would be followed by empty pages forever
 * [M1]
 */
function fitting(
  all: readonly string[],
  budget: number,
  needsOne: boolean,
): { readonly changes: readonly string[]; readonly bytes: number } {
  if (all.length === 0) return { changes: all, bytes: 0 };
  // Nearly always all of them fit, so they are first measured together, without the commas between them.
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
