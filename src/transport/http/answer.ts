/**
 * Whether what came is an answer at all. Pure. (transport)
 *
 * Captive portals answer 200, proxies answer from a cache, connections are reused by others: an answer counts only if its
 * protocol header, the request id it echoes, its content type, its text and its schema all check. Nothing less may ever
 * acknowledge a sale.
 */
import type { TransportFailure } from "../../client/ports/transport.ts";
import { CONTENT_TYPE, HEADERS, MESSAGE_DEPTH, PROTOCOL_VERSION } from "../../protocol/constants.ts";
import { scanJsonText } from "../../shared/json.ts";
import { parseRfc3339 } from "../../shared/rfc3339.ts";
import { busy, foreign, refused } from "./failure.ts";

export interface Received {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** `undefined`: it was larger than anything that a tillsync server sends. */
  readonly text: string | undefined;
}

export type Judged<T> =
  | { readonly ok: true; readonly value: T; readonly serverTime: number }
  | { readonly ok: false; readonly failure: TransportFailure };

const MAX_KEYS = 1_000_000;

/** @param now Epoch ms, for a `Retry-After` that names a moment of a server which does not tell its own time. */
export function judgeAnswer<T>(
  received: Received,
  requestId: string,
  accepts: (value: unknown) => value is T,
  now: number,
): Judged<T> {
  const { status, headers, text } = received;
  const serverTime = parseRfc3339(headers.get(HEADERS.serverTime) ?? "");
  const notNow = busy(status, headers.get("retry-after"), serverTime ?? now);
  if (notNow) return no(notNow);

  const protocol = headers.get(HEADERS.protocol);
  if (protocol === null) return no(foreign("protocol", status));
  if (headers.get(HEADERS.requestId) !== requestId) return no(foreign("request_id"));
  if (text === undefined) return no(foreign("size"));
  if (status >= 400) return no(refused(status, parseText(text)));

  if (status !== 200) return no(foreign("status", status));
  if (protocol !== String(PROTOCOL_VERSION)) return no(foreign("protocol", protocol));
  if (mediaType(headers) !== CONTENT_TYPE) return no(foreign("content_type"));
  if (serverTime === undefined) return no(foreign("server_time"));
  const json = parseText(text);
  if (json === undefined) return no(foreign("json"));
  if (!accepts(json)) return no(foreign("schema"));
  const { requestId: echoed = requestId } = json as { requestId?: string };
  if (echoed !== requestId) return no(foreign("request_id"));
  return { ok: true, value: json, serverTime };
}

/** `undefined`: not JSON, or JSON that is made to hurt. */
function parseText(text: string): unknown {
  try {
    return scanJsonText(text, { maxDepth: MESSAGE_DEPTH, maxKeys: MAX_KEYS }) === undefined
      ? JSON.parse(text)
      : undefined;
  } catch {
    return undefined; // the engine's own message would quote the text
  }
}

function mediaType(headers: Received["headers"]): string | undefined {
  return headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
}

function no(failure: TransportFailure): { readonly ok: false; readonly failure: TransportFailure } {
  return { ok: false, failure };
}
