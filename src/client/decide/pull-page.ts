/** Decides a pulled page: other devices' changes become bases, and the cursor moves with them. Pure. */
import type { PullPage } from "../../protocol/types.ts";
import { omit } from "../../shared/omit.ts";
import type { CursorState } from "../state/meta.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Rows and cursor are stored in one transaction: a cursor without its rows would leave a gap forever (L4).
 * `generation`: that of the collection now. Returns the next cursor.
 */
export function decidePullPage(
  workspace: Workspace,
  collection: string,
  page: PullPage,
  cursor: CursorState,
  generation: number,
): CursorState {
  for (const change of page.changes) {
    // For this till, a row that left its scope is deleted.
    workspace.setBase(collection, change.id, change.version, change.deleted ? null : change.data);
  }
  const complete = !page.more || (cursor.complete && cursor.generation === generation);
  const rest = omit(cursor, "remaining", "sweep");
  const sweep = complete && !cursor.complete && generation > 1 ? "" : cursor.sweep;
  return {
    ...rest,
    cursor: page.cursor,
    generation,
    complete,
    everComplete: cursor.everComplete || complete,
    received: cursor.received + page.changes.length,
    ...(page.more && page.remaining !== undefined && { remaining: page.remaining }),
    // Rows that this resync did not bring are gone from the server [H10]: they are removed afterwards, in bounded
    // steps.
    ...(sweep !== undefined && { sweep }),
  };
}

/**
 * The cursor at the start of a resync: the collection is pulled from the start, and any answer replaces its bases.
 * Operations stay.
 */
export function restartCursor(cursor: CursorState, generation: number): CursorState {
  return { cursor: null, generation, complete: false, everComplete: cursor.everComplete, received: 0 };
}
