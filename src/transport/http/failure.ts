/** What an answer other than 200 means. Pure. */
import type { TransportFailure } from "../../client/ports/transport.ts";
import { isProblem } from "../../protocol/answers.ts";
import { PROBLEM_STATUS, type ProblemCode } from "../../protocol/codes.ts";

/** Which of the checks an answer did not pass. */
export type ForeignBecause =
  | "status"
  | "content_type"
  | "protocol"
  | "request_id"
  | "server_time"
  | "size"
  | "json"
  | "schema";

/** Codes for servers that answer a bare status, without a document to read. */
const PLAIN_CODES: readonly ProblemCode[] = [
  "malformed",
  "unauthenticated",
  "forbidden",
  "not_found",
  "too_large",
  "unsupported_encoding",
  "protocol_unsupported",
];

const MAX_RETRY_AFTER_MS = 60 * 60 * 1_000;

export interface Failed {
  readonly ok: false;
  readonly failure: TransportFailure;
}

export function failed(failure: TransportFailure): Failed {
  return { ok: false, failure };
}

/** Not an answer of a tillsync server to this request: nothing is known of what became of it. */
export function foreign(check: ForeignBecause, status: number): Failed {
  return failed({ kind: "unreachable", reason: "foreign_answer", cause: { check, status } });
}

/** Statuses that mean "not now", whoever says them: the server, or a proxy in front of it that speaks no tillsync. */
export function busy(status: number, retryAfter: string | null, answeredAt: number): Failed | undefined {
  if (status !== 429 && status < 500) return undefined;
  const retryAfterMs = parseRetryAfter(retryAfter, answeredAt);
  return failed(status === 429 ? { kind: "throttled", retryAfterMs } : { kind: "server_error", status, retryAfterMs });
}

/** A refusal of the server itself. `body` is what came, read as JSON; `undefined` where it was none. */
export function refused(status: number, body: unknown): Failed {
  if (isProblem(body)) {
    const { code, detail, epoch, collections } = body;
    return failed({ kind: "refused", code, status, detail, epoch, collections });
  }
  const code = PLAIN_CODES.find((plain) => PROBLEM_STATUS[plain] === status);
  return code === undefined ? foreign("status", status) : failed({ kind: "refused", code, status, detail: "" });
}

/**
 * Seconds or an HTTP date, at most an hour: a server that says more is wrong, or lies. `undefined`: neither of them.
 * A date counts from when the answer says that it was given: the till's own clock may be hours off.
 */
function parseRetryAfter(value: string | null, answeredAt: number): number | undefined {
  const text = value?.trim() ?? "";
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : parseHttpDate(text) - answeredAt;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** Epoch ms; NaN where it is no HTTP date. */
export function parseHttpDate(text: string | null): number {
  return text?.endsWith(" GMT") ? Date.parse(text) : Number.NaN;
}
