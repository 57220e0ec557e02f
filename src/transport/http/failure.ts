/** What a response other than 200 means. Pure. */
import type { TransportFailure } from "../../client/ports/transport.ts";
import { isProblem } from "../../protocol/answers.ts";
import { PROBLEM_STATUS, type ProblemCode } from "../../protocol/codes.ts";

/** The check that a response did not pass. */
export type ForeignBecause =
  | "status"
  | "content_type"
  | "protocol"
  | "request_id"
  | "server_time"
  | "size"
  | "json"
  | "schema";

/** Codes for servers that answer with a status only, without a problem document. */
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

/** Not an answer of a tillsync server to this request: the outcome of the request is unknown. */
export function foreign(check: ForeignBecause, status: number): Failed {
  return failed({ kind: "unreachable", reason: "foreign_answer", cause: { check, status } });
}

/**
 * Statuses that mean "not now", whether the server sent them or a proxy in front of it that knows nothing of tillsync.
 */
export function busy(status: number, retryAfter: string | null, answeredAt: number): Failed | undefined {
  if (status !== 429 && status < 500) return undefined;
  const retryAfterMs = parseRetryAfter(retryAfter, answeredAt);
  return failed(status === 429 ? { kind: "throttled", retryAfterMs } : { kind: "server_error", status, retryAfterMs });
}

/** A refusal by the server. `body` is the response's JSON; `undefined` if it had none. */
export function refused(status: number, body: unknown): Failed {
  if (isProblem(body)) {
    const { code, detail, epoch, collections } = body;
    return failed({ kind: "refused", code, status, detail, epoch, collections });
  }
  const code = PLAIN_CODES.find((plain) => PROBLEM_STATUS[plain] === status);
  return code === undefined ? foreign("status", status) : failed({ kind: "refused", code, status, detail: "" });
}

/**
 * Seconds or an HTTP date, capped at an hour: a longer wait is a mistake of the server, or malicious. `undefined`:
 * neither. A date is compared with the time that the response itself states, because the till's own clock may be hours
 * off.
 */
function parseRetryAfter(value: string | null, answeredAt: number): number | undefined {
  const text = value?.trim() ?? "";
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : parseHttpDate(text) - answeredAt;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** Epoch ms; NaN if it is not an HTTP date. */
export function parseHttpDate(text: string | null): number {
  return text?.endsWith(" GMT") ? Date.parse(text) : Number.NaN;
}
