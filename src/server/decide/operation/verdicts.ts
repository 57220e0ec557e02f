/** The results that an operation can get: every decision makes them with these functions. */
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
type Code = OperationErrorCode | (string & {});

/** A bug in a policy is fixed by a deployment: asking more often would not help. */
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
  // An operation is in conflict at most once, because a resolution is another operation. So its id also names the
  // conflict.
  return { id, status: "conflict", conflictId: id, fields, server };
}

export function rejected(
  { id }: Named,
  code: Code,
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
  code: Code,
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
 * Whether the operation is an increment, or anything in a collection of facts. What rejects an edit quarantines them
 * (L11); H5 has the two exceptions. The operation may be malformed, since that can be the reason for the refusal.
 * Nothing is known of an unknown collection: a create in it may be a sale.
 */
export function isCommercial(catalog: Catalog, operation: WireOperation | UnknownOperation): boolean {
  if (operation.action === "increment") return true;
  const served = typeof operation.collection === "string" ? catalog.collections.get(operation.collection) : undefined;
  return served === undefined ? operation.action === "create" : served.resolved.kind === "fact";
}

export interface Objection {
  readonly code: Code;
  readonly message: string;
  readonly issues?: readonly VerdictIssue[] | undefined;
}

/** Rejects the operation, or quarantines it if it must not be rejected. */
export function rejectedOrQuarantined(
  catalog: Catalog,
  operation: WireOperation | UnknownOperation,
  { code, message, issues }: Objection,
): RejectedResult | QuarantinedResult {
  return isCommercial(catalog, operation)
    ? quarantined(operation, code, message, issues)
    : rejected(operation, code, message, { issues });
}
