/** The results that an operation can get, in the words that every decision uses. */
import type { OperationErrorCode } from "../../../protocol/codes.ts";
import type {
  AppliedResult,
  BlockedResult,
  ConflictResult,
  FinalResult,
  Flag,
  OperationResult,
  QuarantinedResult,
  RejectedResult,
  RetryResult,
  RowState,
  UnknownOperation,
  VerdictIssue,
  WireOperation,
} from "../../../protocol/types.ts";
import type { Catalog } from "../rows/catalog.ts";

type Named = Pick<WireOperation, "id">;

/** A policy's bug is mended by a deployment: asking more often would not help. */
const POLICY_RETRY_MS = 60_000;

export function isFinal(result: OperationResult): result is FinalResult {
  return result.status !== "blocked" && result.status !== "retry";
}

export function applied(
  { id }: Named,
  version: number,
  more: Omit<AppliedResult, "id" | "status" | "version"> & { flags?: readonly Flag[] | undefined } = {},
): AppliedResult {
  const { flags, ...rest } = more;
  return { id, status: "applied", version, ...rest, ...(!(flags === undefined || flags.length === 0) && { flags }) };
}

export function conflict({ id }: Named, fields: readonly string[], server: RowState): ConflictResult {
  // An operation meets one conflict at most: a resolution is another operation. So its id serves for both.
  return { id, status: "conflict", conflictId: id, fields, server };
}

export function rejected(
  { id }: Named,
  code: OperationErrorCode | (string & {}),
  message: string,
  more: { issues?: readonly VerdictIssue[] | undefined; by?: string | undefined; server?: RowState | undefined } = {},
): RejectedResult {
  const { issues, by, server } = more;
  return {
    id,
    status: "rejected",
    error: issues === undefined ? { code, message } : { code, message, issues },
    ...(by !== undefined && { by }),
    ...(server !== undefined && { server }),
  };
}

export function outOfScope(operation: Named): RejectedResult {
  return rejected(operation, "out_of_scope", "The row is not in this device's scope");
}

export function quarantined(
  { id }: Named,
  code: OperationErrorCode | (string & {}),
  message: string,
  issues?: readonly VerdictIssue[] | undefined,
): QuarantinedResult {
  return { id, status: "quarantined", error: issues === undefined ? { code, message } : { code, message, issues } };
}

export function blocked({ id }: Named, by: readonly string[]): BlockedResult {
  return { id, status: "blocked", by };
}

export function missing({ id }: Named): BlockedResult {
  return { id, status: "blocked", by: [], missing: true };
}

export function retry({ id }: Named, code: string, message: string, afterMs = POLICY_RETRY_MS): RetryResult {
  return { id, status: "retry", afterMs, error: { code, message } };
}

/**
 * Facts and increments are never refused (L11): what would refuse an edit sets them aside. Takes whatever came, because being
 * malformed may be what is the matter. Of an unknown collection nothing is known: what creates may be a sale.
 */
export function isCommercial(catalog: Catalog, operation: WireOperation | UnknownOperation): boolean {
  if (operation.action === "increment") return true;
  const served = typeof operation.collection === "string" ? catalog.collections.get(operation.collection) : undefined;
  if (served === undefined) return operation.action === "create";
  if (served.resolved.kind === "record") return false;
  return operation.action !== "update" && operation.action !== "delete";
}

/** Rejected, or set aside where it must not be rejected. */
export function refused(
  catalog: Catalog,
  operation: WireOperation | UnknownOperation,
  code: OperationErrorCode | (string & {}),
  message: string,
  issues?: readonly VerdictIssue[] | undefined,
): RejectedResult | QuarantinedResult {
  return isCommercial(catalog, operation)
    ? quarantined(operation, code, message, issues)
    : rejected(operation, code, message, { issues });
}
