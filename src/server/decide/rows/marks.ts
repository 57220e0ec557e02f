/**
 * Marks [C6, C8]: how far a device has received results and rows, and a witness by which a server notices that it was
 * restored.
 */
import type { WorkingSet } from "./working-set.ts";

/**
 * `position` and `id` are the last position of the snapshot and the operation or commit that took it. A server that has
 * another one at that position, or none, has been restored. `upTo` is how far the answer's results and rows reached.
 *
 * There are two numbers because an answer that was cut may end at a revised result. That position belongs to the
 * operation or commit that revised it; the revised operation keeps its first position. The witness avoids that case: it
 * is always the newest position.
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

/**
 * Whether this history has what the mark saw. A mark at or below the epoch's start proves nothing: nothing of this
 * epoch lies there.
 */
export function holds(ws: WorkingSet, { position, id }: Mark): boolean {
  if (position <= ws.clock.epochStart) return true;
  return ws.operation(id)?.position === position || ws.commit(id)?.position === position;
}
