/** Marks [C6, C8]: what a device has been told, and a witness by which a restored server knows itself. */
import type { WorkingSet } from "./working-set.ts";

/**
 * `position` and `id` are the last position of the snapshot and the operation or commit that took it: a server that has another one
 * there, or none, has been restored. `upTo` is how far the answer's results and rows went.
 *
 * Two numbers, because an answer that is cut may end at a result that was revised: at such a position stands the operation that
 * revised it or a commit, and the revised one keeps its first position. The witness needs no such case: it is always the newest.
 */
export interface Mark {
  readonly upTo: number;
  readonly position: number;
  readonly id: string;
}

export interface MarksSeen {
  readonly push: Mark | undefined;
  readonly pull: Mark | undefined;
}

export function markOf(ws: WorkingSet, upTo: number): Mark {
  const { position, lastId } = ws.clock;
  return { upTo, position, id: lastId };
}

export function marksIn({ push, pull }: MarksSeen): readonly Mark[] {
  return [push, pull].filter((mark) => mark !== undefined);
}

/** Whether this history has what the mark saw. At or below the epoch's start nothing of this epoch lies: it proves nothing. */
export function holds(ws: WorkingSet, { position, id }: Mark): boolean {
  if (position <= ws.clock.epochStart) return true;
  return ws.operation(id)?.position === position || ws.commit(id)?.position === position;
}
