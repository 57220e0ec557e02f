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

/**
 * Judges by the row inside the result, not by the row as it is now: a caller of its branch then may receive again what
 * it received.
 */
export function redactFor(
  { catalog, principal, revoked }: Pick<Viewpoint, "catalog" | "principal" | "revoked">,
  { collection, entityId, result }: Pick<ResultRow, "collection" | "entityId" | "result">,
): FinalResult {
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

function rowIn(result: FinalResult): JsonObject | undefined {
  if (result.status === "applied") return result.data;
  return "server" in result ? result.server?.data : undefined;
}

function withoutRow(result: FinalResult): FinalResult {
  if (result.status === "conflict") return { ...result, server: { version: 0, deleted: true } };
  const { data: _data, server: _server, ...rest } = result as FinalResult & { data?: unknown; server?: unknown };
  return rest as FinalResult;
}
