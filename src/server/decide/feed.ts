/** This device's results since its marks: every answer carries them, from the same snapshot as its rows [C6]. (server/decide) */
import { LIMITS } from "../../protocol/constants.ts";
import type { FinalResult } from "../../protocol/types.ts";
import type { OperationRow } from "../ports/store.ts";
import { type MarksSeen, marksIn } from "./marks.ts";
import type { Session } from "./session.ts";
import type { WorkingSet } from "./working-set.ts";

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
  session: Session,
  marks: MarksSeen,
  sent: ReadonlySet<string> = new Set(),
): OwnResults {
  const limit = LIMITS.resultsPerAnswer - sent.size;
  const { position } = ws.clock;
  const seen = marksIn(marks).map(({ upTo }) => upTo);
  const read = (after: number) =>
    ws.results(session.device, undefined, after, LIMITS.resultsPerAnswer + 1).filter(({ id }) => !sent.has(id));

  // A store without marks is told everything of its device, also from before the epoch: after a restore it sends its journal again, and
  // a row that has an operation in it already must not come without that operation's result, or the till would count it twice [C6].
  const older = seen.length === 2 ? Math.min(...seen) : 0;
  const newer = Math.max(0, ...seen);
  let rows = read(older);
  // More than one answer holds. Whatever lies below the newer mark came with the answer that brought it, so that starting there skips
  // nothing; starting at the older one again and again would never come to an end on a till that only pulls.
  if (rows.length > limit && newer > older) rows = read(newer);
  if (rows.length <= limit) return { results: rows.map(asReplayed), upTo: position };
  const page = rows.slice(0, limit);
  return { results: page.map(asReplayed), upTo: page.at(-1)?.feedPosition ?? older };
}

function asReplayed({ result }: OperationRow): FinalResult {
  return { ...result, replayed: true };
}
