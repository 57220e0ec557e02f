/**
 * Stored results, as whoever asks may see them (L9). What one holds of a row was shown to the token that the operation came with; the
 * device may have another branch by now, somebody with fewer rights, or a token that names it without having been it.
 */
import type { FinalResult } from "../../../protocol/types.ts";
import type { JsonObject } from "../../../shared/json.ts";
import type { ResultRow } from "../../ports/rows.ts";
import { mayDo, type ServedCollection } from "./catalog.ts";
import { inScope, isBranchScoped, scopeOf } from "./scope.ts";
import type { Sender } from "./sender.ts";

/** By the row that is in it, and not by the row as it is now: who was in its branch then may hear again what they heard. */
export function redactFor(
  { catalog, principal }: Pick<Sender, "catalog" | "principal">,
  { collection, entityId, result }: Pick<ResultRow, "collection" | "entityId" | "result">,
): FinalResult {
  const data = rowIn(result);
  if (data === undefined) return result;
  const served = catalog.collections.get(collection);
  const isTheirs =
    served !== undefined &&
    mayDo(served, "read", principal) &&
    (principal.branch === undefined || !isBranchScoped(served) || isOfBranch(served, { ...data, id: entityId }));
  return isTheirs ? result : withoutRow(result);

  function isOfBranch(of: ServedCollection, record: JsonObject): boolean {
    try {
      return inScope(principal, scopeOf(of, record));
    } catch {
      return false; // of a schema that the policy does not know any more: nobody can say whose it was
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
