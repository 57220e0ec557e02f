/**
 * Stored results, reduced to what the caller may see (L9). A result was first shown to the token that sent the
 * operation. Since then the device may have moved to another branch, be used by a person with fewer rights, or be named
 * by a token that was not its own.
 */
import type { FinalResult } from "../../../protocol/types.ts";
import type { JsonObject } from "../../../shared/json.ts";
import type { ResultRow } from "../../ports/rows.ts";
import { mayDo, type ServedCollection } from "./catalog.ts";
import { inScope, isBranchScoped, scopeOf } from "./scope.ts";
import type { Viewpoint } from "./sender.ts";
import { visibleState } from "./visible-state.ts";
import type { WorkingSet } from "./working-set.ts";

/**
 * Judges by the row inside the result, not by the row as it is now: a caller of its branch then may receive again what
 * it received.
 */
export function redactFor(
  ws: WorkingSet,
  view: Pick<Viewpoint, "catalog" | "principal" | "revoked">,
  row: Pick<ResultRow, "collection" | "entityId" | "result">,
): FinalResult {
  const { catalog, principal, revoked } = view;
  const { collection, entityId } = row;
  const result = withRow(ws, view, row);
  const data = rowIn(result);
  if (data === undefined) return result;
  const served = catalog.collections.get(collection);
  const isTheirs =
    // A stolen till gets nothing any more [H6].
    revoked !== true &&
    served !== undefined &&
    mayDo(served, "read", principal) &&
    (principal.branch === undefined || !isBranchScoped(served) || isOfBranch(served, { ...data, id: entityId }));
  return isTheirs ? result : withoutRow(result);

  function isOfBranch(of: ServedCollection, record: JsonObject): boolean {
    try {
      return inScope(principal, scopeOf(of, record));
    } catch {
      return false; // an old schema, which the policy no longer understands: its branch is not known
    }
  }
}

/**
 * A result of which the row was not kept, with the row as it is now. A conflict always has one. What was applied has
 * it if nobody has written the row since: with another version it would not be that operation's row.
 */
function withRow(
  ws: WorkingSet,
  view: Pick<Viewpoint, "catalog" | "principal" | "revoked">,
  row: Pick<ResultRow, "collection" | "entityId" | "result">,
): FinalResult {
  const { result } = row;
  if (result.status === "conflict") {
    if (!("omitted" in result.server)) return result as FinalResult;
    return { ...result, server: visibleState(ws, view, row) ?? { version: 0, deleted: true } };
  }
  if (result.status !== "applied" || result.omitted !== true) return result;
  const { omitted: _, ...rest } = result;
  const state = visibleState(ws, view, row);
  if (state?.data === undefined || state.version !== result.version) return result;
  const { data, schemaVersion } = state;
  return { ...rest, data, ...(schemaVersion !== undefined && { schemaVersion }) };
}

function rowIn(result: FinalResult): JsonObject | undefined {
  if (result.status === "applied") return result.data;
  return "server" in result ? result.server?.data : undefined;
}

function withoutRow(result: FinalResult): FinalResult {
  if (result.status === "conflict") return { ...result, server: { version: 0, deleted: true } };
  const { data: _data, server: _server, ...rest } = result as FinalResult & { data?: unknown; server?: unknown };
  return rest as FinalResult;
}
