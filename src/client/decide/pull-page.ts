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
  const appVersion = workspace.definition(collection).schemaVersion;
  for (const { id, version, data = null, schemaVersion = page.schemaVersion } of page.changes) {
    // For this till, a row that left its scope is deleted.
    workspace.setBase(collection, id, version, data, schemaVersion);
  }
  const complete = !page.more || (cursor.complete && cursor.generation === generation);
  const rest = omit(cursor, "remaining", "sweep", "waits");
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
    ...(isAhead(page, appVersion) && { waits: "schema_newer" }),
  };
}

/** Whether the app is ahead of the server: it can read the rows, and the server can't read what it writes. */
const isAhead = ({ schemaVersion }: PullPage, appVersion: number) =>
  schemaVersion !== undefined && schemaVersion < appVersion;

/**
 * Why the collection can't be pulled: the server says so, or it is ahead of the app, which then could not read the rows
 * [H7]. `undefined`: it can.
 */
export function waitsFor(page: PullPage | undefined, code: string | undefined, appVersion: number): string | undefined {
  if (page === undefined) return code;
  const versions = page.changes.map(({ schemaVersion = page.schemaVersion ?? appVersion }) => schemaVersion);
  return Math.max(page.schemaVersion ?? appVersion, ...versions) > appVersion ? "schema_older" : undefined;
}

/**
 * The cursor at the start of a resync: the collection is pulled from the start, and any answer replaces its bases.
 * Operations stay.
 */
export function restartCursor(cursor: CursorState, generation: number): CursorState {
  return { cursor: null, generation, complete: false, everComplete: cursor.everComplete, received: 0 };
}
