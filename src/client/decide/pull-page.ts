/** The decision of a pulled page: other devices' changes to the bases, the cursor with them. Pure. */
import type { PullPage } from "../../protocol/types.ts";
import { omit } from "../../shared/omit.ts";
import type { CursorState } from "../state/meta.ts";
import type { Workspace } from "./workspace.ts";

/** Rows and cursor in one transaction: a cursor that survived without its rows would be a hole for ever (L4). */
export function decidePullPage(
  workspace: Workspace,
  collection: string,
  page: PullPage,
  cursor: CursorState,
  generation: number,
): CursorState {
  for (const change of page.changes) {
    // A row that left the scope is, for this till, a row that is gone.
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
    // What this resync did not bring is gone on the server [H10]: removed behind it, in bounded steps.
    ...(sweep !== undefined && { sweep }),
  };
}

/** A resync of some collections: from the start, and every base gives way to the first answer. Operations stay. */
export function restartCursor(cursor: CursorState, generation: number): CursorState {
  return { cursor: null, generation, complete: false, everComplete: cursor.everComplete, received: 0 };
}
