/** The stable codes of the wire. This file imports no schema: see shared/errors.ts for why. */

/** The codes of errors of a whole request, with their HTTP status. docs/errors.md says what each means. */
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
  conflict_moved: 409,
  not_quarantined: 409,
  too_large: 413,
  unsupported_encoding: 415,
  protocol_unsupported: 426,
  throttled: 429,
  internal: 500,
  unavailable: 503,
} as const;

/** The code of an error of a whole request. */
export type ProblemCode = keyof typeof PROBLEM_STATUS;

/** The `type` of a problem: a URN, not an address to open. */
export function problemType(code: ProblemCode): string {
  return `urn:tillsync:problem:${code}`;
}

/**
 * An error of a whole request: the body of an `application/problem+json` answer (RFC 9457), with what tillsync adds.
 * It says nothing of single operations; they stay in the outbox.
 */
export interface Problem {
  /** `urn:tillsync:problem:` and the code. */
  readonly type: string;
  /** The code in words, for people. */
  readonly title: string;
  /** The HTTP status, 400 to 599. */
  readonly status: number;
  /** What is wrong with this request, for people. Without data of the shop. */
  readonly detail: string;
  /** What programs read. Stable. */
  readonly code: ProblemCode;
  /** The request id that the call was made with. */
  readonly requestId: string;
  /** With `resync_required`, and with `device_revoked` from a registration or a pull: the server's current epoch. */
  readonly epoch?: string | undefined;
  /** With `resync_required`: the collections to pull again from the start. If it is absent: all of them. */
  readonly collections?: readonly string[] | undefined;
}

/** The protocol's own codes in the `error` of an operation's result. A policy may use others. */
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
  | "push_budget"
  | "quarantine_full"
  | "internal";

/** The protocol's own flags of an applied operation. A policy may add others. */
export type OperationFlagCode =
  | "unknown_row"
  | "deleted_row"
  | "unresolved_reference"
  | "out_of_scope"
  | "overtaken"
  | "forced"
  | "stock_discrepancy"
  | "id_collision";
