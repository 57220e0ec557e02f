/** This device's results since its marks: every answer carries them, from the same snapshot as its rows [C6]. */
import { LIMITS } from "../../../protocol/constants.ts";
import type { FinalResult } from "../../../protocol/types.ts";
import { jsonBytes } from "../../../shared/json.ts";
import { type MarksSeen, marksIn } from "./marks.ts";
import { redactFor } from "./redact.ts";
import type { Sender } from "./sender.ts";
import type { WorkingSet } from "./working-set.ts";

/** A result may carry a row of 250 KB, and a full page of such would be read for the eight that an answer holds (L12). */
const ROWS_PER_READ = 128;

export interface OwnResults {
  readonly results: readonly FinalResult[];
  /** How far they go. Less than the clock's position where they are cut: rows and mark are then cut there too. */
  readonly upTo: number;
}

/**
 * @param sent ids that the answer carries in any case
 */
export function ownResults(
  ws: WorkingSet,
  session: Sender,
  marks: MarksSeen,
  sent: ReadonlySet<string> = new Set(),
): OwnResults {
  const { position } = ws.clock;
  const seen = marksIn(marks).map(({ upTo }) => upTo);

  // A store without marks is told everything of its device, also from before the epoch: after a restore it sends its journal again, and
  // a row that has an operation in it already must not come without that operation's result, or the till would count it twice [C6].
  const older = seen.length === 2 ? Math.min(...seen) : 0;
  const newer = Math.max(0, ...seen);
  let page = pageBehind(ws, session, older, sent);
  // More than one answer holds. Whatever lies below the newer mark came with the answer that brought it, so that starting there skips
  // nothing; starting at the older one again and again would never come to an end on a till that only pulls.
  if (page.cutAt !== undefined && newer > older) page = pageBehind(ws, session, newer, sent);
  return { results: page.results, upTo: page.cutAt ?? position };
}

interface Page {
  readonly results: readonly FinalResult[];
  /** The position of the last one that found room; `undefined`: all did. */
  readonly cutAt: number | undefined;
}

/** A few at a time: results may carry rows, and only as much is read as an answer holds (L12). One always comes. */
function pageBehind(ws: WorkingSet, session: Sender, after: number, sent: ReadonlySet<string>): Page {
  const limit = LIMITS.resultsPerAnswer - sent.size;
  const results: FinalResult[] = [];
  let budget: number = LIMITS.pullBytes;
  let cutAt = after;
  for (const row of ws.results(session.device, after, ROWS_PER_READ)) {
    if (sent.has(row.id)) continue;
    const result = redactFor(session, row);
    budget -= jsonBytes(JSON.stringify(result));
    if (results.length >= limit || (budget < 0 && results.length > 0)) return { results, cutAt };
    results.push({ ...result, replayed: true });
    cutAt = row.feedPosition;
  }
  return { results, cutAt: undefined };
}
