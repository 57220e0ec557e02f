/** The stable codes of the wire. No schema in this file: see shared/errors.ts. */

/** Errors of a whole request, with their HTTP status. */
export const PROBLEM_STATUS = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  device_mismatch: 403,
  device_revoked: 403,
  wrong_workspace: 403,
  not_found: 404,
  method_not_allowed: 405,
  resync_required: 409,
  identity_fork: 409,
  conflict_settled: 409,
  not_quarantined: 409,
  too_large: 413,
  unsupported_encoding: 415,
  protocol_unsupported: 426,
  throttled: 429,
  internal: 500,
  unavailable: 503,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

/** The `type` of a problem: a name, not an address. */
export function problemType(code: ProblemCode): string {
  return `urn:tillsync:problem:${code}`;
}

/** RFC 9457, with what tillsync adds. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly requestId: string;
  /** `resync_required`: the epoch that holds now. */
  readonly epoch?: string | undefined;
  /** `resync_required`: the collections to pull again from the start; absent: all of them. */
  readonly collections?: readonly string[] | undefined;
}

/** Codes in the `error` of one operation's result. A policy adds its own. */
export type OperationErrorCode =
  | "malformed"
  | "too_large"
  | "unknown_collection"
  | "validation_failed"
  | "not_permitted"
  | "not_found"
  | "out_of_scope"
  | "operation_id_reused"
  | "id_collision"
  | "already_applied"
  | "already_superseded"
  | "superseded"
  | "schema_newer"
  | "schema_too_old"
  | "branch_mismatch"
  | "device_revoked"
  | "transaction_quarantined"
  | "discarded"
  | "policy_failed"
  | "internal";

/** Flags that the protocol itself sets on an applied operation. A policy adds its own. */
export type OperationFlagCode =
  | "unknown_row"
  | "deleted_row"
  | "unresolved_reference"
  | "out_of_scope"
  | "overtaken"
  | "forced"
  | "stock_discrepancy"
  | "id_collision";
