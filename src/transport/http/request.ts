/**
 * One call, from the token to the answer.
 *
 *        ┌──────────────────────────── deadline ────────────────────────────┐
 *   call ┴► token ──► body, gzipped ──► fetch ──► text, bounded ──► judge ──┴► result
 *             ▲             ▲                                         │
 *             │             └──────── 415: once, as it is ────────────┤
 *             └────────────────────── 401: once, with another token ──┘
 *
 * Nothing is thrown, and nothing else is repeated: the sync loop decides what a failure means.
 */
import ky from "ky";
import type { TransportCall, TransportResult } from "../../client/ports/transport.ts";
import { CONTENT_TYPE, HEADERS, PROBLEM_CONTENT_TYPE, PROTOCOL_VERSION } from "../../protocol/constants.ts";
import { orAborted } from "../../shared/abort.ts";
import { judgeAnswer } from "./answer.ts";
import { startDeadline } from "./deadline.ts";
import { failed } from "./failure.ts";
import type { Gzip } from "./gzip.ts";
import { addressOf, type ResolvedHttpOptions } from "./options.ts";
import { withToken } from "./token.ts";

export interface Connection {
  readonly options: ResolvedHttpOptions;
  readonly gzip: Gzip;
}

export interface Endpoint<T> {
  readonly path: string;
  readonly accepts: (value: unknown) => value is T;
  /** Needs no token. */
  readonly open?: true;
}

/** Far above the largest answer of the protocol, and below what would crash a tab on a tablet. */
const MAX_ANSWER_BYTES = 32 * 1_024 * 1_024;

/** @param message the body of a POST; absent for a GET */
export async function send<T>(
  connection: Connection,
  endpoint: Endpoint<T>,
  call: TransportCall,
  message?: unknown,
): Promise<TransportResult<T>> {
  const { getToken, timeoutMs } = connection.options;
  const { signal, end } = startDeadline(call.signal, timeoutMs);
  const attempt = (token: string | undefined) => exchange(connection, endpoint, { ...call, signal }, message, token);
  try {
    // Raced as a whole: the application's getToken and fetch may ignore the signal.
    return await orAborted(endpoint.open ? attempt(undefined) : withToken(getToken, signal, attempt), signal);
  } catch (cause) {
    if (call.signal.aborted) return failed({ kind: "aborted" });
    return failed({ kind: "unreachable", reason: signal.aborted ? "timeout" : "network", cause });
  } finally {
    end();
  }
}

async function exchange<T>(
  connection: Connection,
  endpoint: Endpoint<T>,
  call: TransportCall,
  message: unknown,
  token: string | undefined,
): Promise<TransportResult<T>> {
  const { options, gzip } = connection;
  const body = message === undefined ? undefined : await gzip.encode(JSON.stringify(message));
  const headers = new Headers(options.headers());
  const own = {
    accept: `${CONTENT_TYPE}, ${PROBLEM_CONTENT_TYPE}`,
    [HEADERS.protocol]: String(PROTOCOL_VERSION),
    [HEADERS.requestId]: call.requestId,
    [HEADERS.device]: call.device,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body && { "content-type": CONTENT_TYPE }),
    ...(body?.isGzipped && { "content-encoding": "gzip" }),
  };
  for (const [name, value] of Object.entries(own)) headers.set(name, value);

  const sentAt = performance.now();
  const response = await ky(addressOf(options.url, endpoint.path), {
    method: body ? "POST" : "GET",
    headers,
    ...(body && { body: body.bytes }),
    ...(options.fetch && { fetch: options.fetch }),
    signal: call.signal,
    cache: "no-store",
    retry: 0,
    timeout: false, // ky's ends with the headers of an answer: a body that stalls would hang forever
    throwHttpErrors: false,
  });
  const text = await readText(response, call.signal);
  const received = { status: response.status, headers: response.headers, text };
  const judged = judgeAnswer(received, call.requestId, endpoint.accepts);
  if (judged.ok) {
    const { value, serverTime } = judged;
    return { ok: true, value, timing: { serverTime, roundTripMs: performance.now() - sentAt } };
  }
  const { failure } = judged;
  if (!body?.isGzipped || failure.kind !== "refused" || failure.code !== "unsupported_encoding") return judged;
  gzip.refused();
  return exchange(connection, endpoint, call, message, token);
}

/** The whole text, or `undefined` if it is too long. Rejects if it is truncated or not UTF-8. */
async function readText(response: Response, signal: AbortSignal): Promise<string | undefined> {
  const reader = response.body?.getReader();
  if (!reader) {
    const whole = await response.text(); // React Native has no streams
    return whole.length > MAX_ANSWER_BYTES ? undefined : whole;
  }
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let text = "";
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.length;
      if (bytes > MAX_ANSWER_BYTES) {
        stop();
        return undefined;
      }
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
