/** A device's own results since its marks: every answer carries them, from the same snapshot as its rows [C6]. */
import { LIMITS } from "../../../protocol/constants.ts";
import type { FinalResult } from "../../../protocol/types.ts";
import { jsonBytes } from "../../../shared/json.ts";
import type { ResultRow } from "../../ports/rows.ts";
import { type MarksSeen, marksIn } from "./marks.ts";
import { redactFor } from "./redact.ts";
import type { Viewpoint } from "./sender.ts";
import type { WorkingSet } from "./working-set.ts";

/**
 * A result may carry a row of 250 KB. A full page of such results would be read for the eight that an answer holds
 * (L12).
 */
const ROWS_PER_READ = 128;

/** What its receipt adds to an applied result: `,"receipt":""` and 32 digits. */
const RECEIPT_BYTES = 45;

export interface OwnResults {
  readonly results: readonly FinalResult[];
  /** The payload identity of each result's operation, by the operation's id: the service makes receipts of them. */
  readonly hashes: ReadonlyMap<string, string>;
  /**
   * The position up to which they are complete. If they were cut, it is below the clock's: rows and mark must then stop
   * there too.
   */
  readonly upTo: number;
  /** There are more than the answer holds. */
  readonly more: boolean;
  /** A row in them may contain the effects of those that are left. */
  readonly isAhead: boolean;
}

/** What a request says about the results that its answer carries. */
export interface Asked {
  readonly session: Viewpoint;
  readonly marks: MarksSeen;
  readonly limitBytes?: number | undefined;
}

/**
 * @param sent ids whose results the answer carries in any case
 */
export function ownResults(ws: WorkingSet, asked: Asked, sent: ReadonlySet<string> = new Set()): OwnResults {
  const { marks } = asked;
  const { position } = ws.clock;
  const seen = marksIn(marks).map(({ upTo }) => upTo);

  // A store without marks receives all results of its device, also those from before the epoch. After a restore it
  // sends its journal again; if a row already included an operation and arrived without that operation's result, the
  // till would count it twice [C6].
  const older = seen.length === 2 ? Math.min(...seen) : 0;
  const newer = Math.max(0, ...seen);
  let page = pageAfter(ws, asked, older, sent);
  // There are more than one answer holds. Whatever lies below the newer mark arrived with the answer that brought that
  // mark, so starting there skips nothing. Starting at the older mark every time would never finish on a till that only
  // pulls.
  if (page.cutAt !== undefined && newer > older) page = pageAfter(ws, asked, newer, sent);
  const { results, hashes, cutAt, isAhead } = page;
  return { results, hashes, upTo: cutAt ?? position, more: cutAt !== undefined, isAhead };
}

/** The bytes of changes, or of results, that the answer may hold. */
export function answerBytes({ limitBytes = LIMITS.pullBytes }: Pick<Asked, "limitBytes">): number {
  return Math.min(limitBytes, LIMITS.pullBytes);
}

interface Page extends Pick<OwnResults, "results" | "hashes"> {
  /** The position of the last result that fitted; `undefined`: all of them did. */
  readonly cutAt: number | undefined;
  /** The page was cut, and a row in it is as it is now: it may contain the effects of results that come later. */
  readonly isAhead: boolean;
}

/** Results may carry rows: only as many are taken as an answer holds (L12), but always at least one. */
function pageAfter(ws: WorkingSet, asked: Asked, after: number, sent: ReadonlySet<string>): Page {
  const { session } = asked;
  const limit = LIMITS.resultsPerAnswer - sent.size;
  const results: FinalResult[] = [];
  const hashes = new Map<string, string>();
  let budget = answerBytes(asked);
  let cutAt = after;
  let isAhead = false;
  for (const row of resultsAfter(ws, session.device, after)) {
    if (sent.has(row.id)) continue;
    const result = redactFor(ws, session, row);
    isAhead ||= row.result.status === "conflict" && "omitted" in row.result.server;
    budget -= jsonBytes(JSON.stringify(result)) + (result.status === "applied" ? RECEIPT_BYTES : 0);
    if (results.length >= limit || (budget < 0 && results.length > 0)) return { results, hashes, cutAt, isAhead };
    results.push({ ...result, replayed: true });
    hashes.set(row.id, row.hash);
    cutAt = row.feedPosition;
  }
  return { results, hashes, cutAt: undefined, isAhead: false };
}

/** Reads the next page only when the caller has gone through the one before. */
function* resultsAfter(ws: WorkingSet, device: string, after: number): Iterable<ResultRow> {
  for (let from: number | undefined = after; from !== undefined; ) {
    const { rows, next } = ws.storedResults(device, from, ROWS_PER_READ);
    yield* rows;
    from = next;
  }
  yield* ws.writtenResults(device, after);
}
