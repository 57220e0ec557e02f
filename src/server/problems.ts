/** Problems: the errors of a whole request [RFC 9457], and the one place that turns any failure into a problem. */
import { PROBLEM_STATUS, type Problem, type ProblemCode, problemType } from "../protocol/codes.ts";
import type { VerdictIssue } from "../protocol/types.ts";
import type { Logger } from "../shared/logger.ts";
import { DecisionFailure } from "./decide/rows/run.ts";

/** One title for each code, whatever the occasion (RFC 9457). docs/protocol.md shows them. */
const TITLES: Readonly<Record<ProblemCode, string>> = {
  malformed: "Malformed",
  unauthenticated: "Not signed in",
  forbidden: "The token does not allow this",
  device_mismatch: "Another device",
  device_revoked: "The device was revoked",
  wrong_workspace: "Another shop",
  not_found: "There is nothing here",
  method_not_allowed: "Not with this method",
  resync_required: "Start over",
  identity_fork: "Two stores, one identity",
  conflict_settled: "Somebody else has settled it",
  conflict_moved: "The row has changed",
  not_quarantined: "It is not in quarantine",
  too_large: "Too large",
  unsupported_encoding: "Unknown encoding",
  protocol_unsupported: "Unknown protocol version",
  throttled: "Too many requests",
  internal: "The server failed",
  unavailable: "Unavailable",
};

/**
 * How long a client waits before it asks a failing database or token service again, in seconds. Clients add their own
 * jitter.
 */
const RETRY_AFTER_SECONDS = 5;

export interface ProblemMore {
  readonly epoch?: string | undefined;
  readonly collections?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly cause?: unknown;
}

/** Thrown by the code that serves a request, and caught in one place, the handler. */
export class RequestProblem extends Error {
  override readonly name = "RequestProblem";
  readonly code: ProblemCode;
  readonly detail: string;
  readonly more: ProblemMore;

  constructor(code: ProblemCode, detail: string, more: ProblemMore = {}) {
    super(`${code}: ${detail}`, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.detail = detail;
    this.more = more;
  }
}

export function malformed(issues: readonly VerdictIssue[]): RequestProblem {
  const said = issues.slice(0, 5).map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  return new RequestProblem("malformed", said.join("; "));
}

/**
 * The answer names the epoch: what a restore has lost, and what an unregistered store holds, can be pushed only in the
 * epoch in force.
 */
export function revoked(epoch?: string): RequestProblem {
  return new RequestProblem(
    "device_revoked",
    "The device was revoked; what it still holds can be pushed, and goes into quarantine",
    { epoch },
  );
}

export function unavailable(detail: string, cause?: unknown): RequestProblem {
  return new RequestProblem("unavailable", detail, { cause, headers: { "retry-after": String(RETRY_AFTER_SECONDS) } });
}

/** No detail of an unexpected error leaves the server: its message may contain a customer's data, or a path. */
export function problemOf(error: unknown, requestId: string, logger: Logger): RequestProblem {
  if (error instanceof RequestProblem) {
    if (error.code === "unavailable") {
      const cause = error.cause === undefined ? {} : { cause: describeCause(error.cause) };
      logger.error(error.detail, { requestId, ...cause });
    }
    return error;
  }
  logger.error("A request failed", { requestId, cause: describeCause(error) });
  return new RequestProblem("internal", "The server failed; its log says why, under this request's id", {
    cause: error,
  });
}

/**
 * For `.catch` of a call to the store: it is unavailable, unless the error is a defect of a decision that ran inside
 * it.
 */
export function throwStoreFailure(error: unknown): never {
  if (error instanceof RequestProblem || error instanceof DecisionFailure) throw error;
  throw unavailable("The store failed", error);
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? `${cause.name}: ${cause.message}`) : String(cause);
}

export function problemBody({ code, detail, more }: RequestProblem, requestId: string): Problem {
  const { epoch, collections } = more;
  return {
    type: problemType(code),
    title: TITLES[code],
    status: PROBLEM_STATUS[code],
    detail,
    code,
    requestId,
    ...(epoch !== undefined && { epoch }),
    ...(collections !== undefined && { collections }),
  };
}
