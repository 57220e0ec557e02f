/**
 * Whether a response is an answer of a tillsync server to this request. Pure.
 *
 * Captive portals answer 200, proxies answer from a cache, and connections are reused by others. So an answer counts
 * only if its protocol header, the request id that it echoes, its content type, its text and its schema all check.
 * Nothing less may ever acknowledge a sale.
 */
import { CONTENT_TYPE, HEADERS, MESSAGE_DEPTH, PROTOCOL_VERSION } from "../../protocol/constants.ts";
import { scanJsonText } from "../../shared/json.ts";
import { parseRfc3339 } from "../../shared/rfc3339.ts";
import { busy, type Failed, type ForeignBecause, foreign, parseHttpDate, refused } from "./failure.ts";

export interface Received {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** `undefined`: it was larger than any answer of a tillsync server. */
  readonly text: string | undefined;
}

export type Judged<T> = { readonly ok: true; readonly value: T; readonly serverTime: number } | Failed;

const MAX_KEYS = 1_000_000;

export function judgeAnswer<T>(
  received: Received,
  requestId: string,
  accepts: (value: unknown) => value is T,
): Judged<T> {
  const { status, headers, text } = received;
  const serverTime = parseRfc3339(headers.get(HEADERS.serverTime) ?? "");
  const notNow = busy(status, headers.get("retry-after"), serverTime ?? parseHttpDate(headers.get("date")));
  if (notNow) return notNow;

  const protocol = headers.get(HEADERS.protocol);
  const json = parseText(text ?? "");
  const [contentType = ""] = headers.get("content-type")?.split(";") ?? [];
  const isRefused = status >= 400;
  const { requestId: echoed = requestId } = (json ?? {}) as { requestId?: unknown };
  // If one of them is not `true`, the answer is foreign. A refusal need not pass all of them.
  const checks: Readonly<Record<ForeignBecause, boolean>> = {
    protocol: isRefused ? protocol !== null : protocol === String(PROTOCOL_VERSION),
    request_id: headers.get(HEADERS.requestId) === requestId && (isRefused || echoed === requestId),
    size: text !== undefined,
    status: isRefused || status === 200,
    content_type: isRefused || contentType.trim().toLowerCase() === CONTENT_TYPE,
    server_time: isRefused || serverTime !== undefined,
    json: isRefused || json !== undefined,
    schema: isRefused || accepts(json),
  };
  for (const [check, passed] of Object.entries(checks)) if (!passed) return foreign(check as ForeignBecause, status);
  return isRefused ? refused(status, json) : { ok: true, value: json as T, serverTime: serverTime as number };
}

/** `undefined`: not JSON, or JSON that is nested too deeply or has too many keys. */
function parseText(text: string): unknown {
  try {
    return scanJsonText(text, { maxDepth: MESSAGE_DEPTH, maxKeys: MAX_KEYS }) === undefined
      ? JSON.parse(text)
      : undefined;
  } catch {
    return undefined; // the engine's own message would quote the text
  }
}
