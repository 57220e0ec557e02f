/** What `http()` can be told. */
import { expectOption } from "../../shared/errors.ts";
import { isPlainObject } from "../../shared/json.ts";

export interface TokenRequest {
  /** The token that the server has just refused, if that is why it asks again. */
  readonly refused: string | undefined;
  readonly signal: AbortSignal;
}

export interface HttpOptions {
  /** The base path, e.g. "https://shop.example/sync". In a page also "/sync". */
  url: string;
  /**
   * Asked before every request: keep the token yourself and answer at once.
   * `undefined`: nobody is signed in; sync waits, the till goes on selling.
   * Throw: the token cannot be had now (offline); counts as unreachable and is asked again.
   */
  getToken: (request: TokenRequest) => string | undefined | Promise<string | undefined>;
  /** Added to every request. A function is asked each time. The protocol's own headers win. */
  headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>) | undefined;
  /**
   * For the whole of a call: the token, the request, the body of the answer, a second try after a 401.
   * @default 30_000 @minimum 1_000
   */
  timeoutMs?: number | undefined;
  /** @default "auto": a WebSocket to /live where the server has it, else none */
  live?: "auto" | "off" | undefined;
  fetch?: typeof globalThis.fetch | undefined;
}

export interface ResolvedHttpOptions {
  /** Without a slash at the end. */
  readonly url: string;
  readonly getToken: HttpOptions["getToken"];
  readonly headers: () => Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly live: "auto" | "off";
  readonly fetch: typeof globalThis.fetch | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const MIN_TIMEOUT_MS = 1_000;
/** Browsers keep timers in 32 bits: a longer one would fire at once. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** @throws TillSyncError `invalid_option` */
export function resolveHttpOptions(options: HttpOptions): ResolvedHttpOptions {
  const { url, getToken, headers, timeoutMs = DEFAULT_TIMEOUT_MS, live = "auto", fetch } = options;
  expectOption(
    isBase(url),
    "url",
    "an http(s) address without user and query, or a path from /",
    // A message ends in logs: the user and the password of an address must not.
    typeof url === "string" ? url.replace(/\/\/[^/]*@/, "//…@") : url,
    'Pass the base path of the server, e.g. "https://shop.example/sync".',
  );
  const isFunction = typeof getToken === "function";
  expectOption(isFunction, "getToken", "a function", getToken, "It answers the bearer token, before every request.");
  const areHeaders = headers === undefined || typeof headers === "function" || isPlainObject(headers);
  expectOption(areHeaders, "headers", "an object or a function that returns one", headers, "Leave it out for none.");
  const isTime = typeof timeoutMs === "number" && timeoutMs >= MIN_TIMEOUT_MS && timeoutMs <= MAX_TIMEOUT_MS;
  expectOption(isTime, "timeoutMs", `${MIN_TIMEOUT_MS} or more`, timeoutMs, "In ms, for a whole call.");
  expectOption(live === "auto" || live === "off", "live", '"auto" or "off"', live, 'Leave it out for "auto".');
  const isFetch = fetch === undefined || typeof fetch === "function";
  expectOption(isFetch, "fetch", "a function", fetch, "Leave it out for the platform's own.");
  return {
    url: url.replace(/\/+$/, ""),
    getToken,
    headers: typeof headers === "function" ? headers : () => headers ?? {},
    timeoutMs,
    live,
    fetch,
  };
}

/** Where a call goes. A path is of the page; a server that renders the page has none, and reaches nobody. */
export function addressOf(base: string, path: string): URL {
  return new URL(base + path, globalThis.location?.href);
}

function isBase(url: unknown): url is string {
  if (typeof url !== "string" || /[?#\s]/.test(url)) return false;
  if (/^\/(?!\/)/.test(url)) return true;
  try {
    // An address with a user and a password in it is refused by fetch, at every call.
    const { protocol, username, password } = new URL(url);
    return /^https?:$/.test(protocol) && username === "" && password === "";
  } catch {
    return false;
  }
}
