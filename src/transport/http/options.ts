/** The options of `http()`, checked, with every default filled in. */
import { expectOption } from "../../shared/errors.ts";
import { isPlainObject } from "../../shared/json.ts";

/** Why and how long a token is asked for. */
export interface TokenRequest {
  /** The token that the server has just refused: get another one. `undefined` in the first call for a request. */
  readonly refused: string | undefined;
  /** Aborts when the request is cancelled, or its time is up. */
  readonly signal: AbortSignal;
}

/** The options of `http`. */
export interface HttpOptions {
  /** The base address, for example "https://shop.example/sync". In a page, also a path: "/sync". */
  url: string;
  /**
   * Returns the bearer token. It is called before every request, so keep the token and return it immediately. If the
   * server refuses it, it is called once more, with `refused` set; many requests at once share that second call.
   *
   * Return `undefined` if no one is signed in: the status becomes `auth_required`, and selling continues. Throw if no
   * token can be obtained right now, for example offline: the server counts as unreachable, and it is called again
   * later.
   */
  getToken: (request: TokenRequest) => string | undefined | Promise<string | undefined>;
  /**
   * Headers to add to every request; a function is called for each. The protocol's own headers take precedence.
   * @default none
   */
  headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>) | undefined;
  /**
   * The time for a whole call, in ms: the token, the request, the body of the answer, and a second try after a 401.
   * @default 30_000
   * @minimum 1_000
   */
  timeoutMs?: number | undefined;
  /**
   * `auto`: a WebSocket to `/live`, through which the server says that there is something new; it is tried again if it
   * fails. `off`: none. Without it, changes arrive with the next pull.
   * @default "auto"
   */
  live?: "auto" | "off" | undefined;
  /**
   * Replaces `fetch`, for example in tests.
   * @default globalThis.fetch
   */
  fetch?: typeof globalThis.fetch | undefined;
}

export interface ResolvedHttpOptions {
  /** Without a trailing slash. */
  readonly url: string;
  readonly getToken: HttpOptions["getToken"];
  readonly headers: () => Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly live: "auto" | "off";
  readonly fetch: typeof globalThis.fetch | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const MIN_TIMEOUT_MS = 1_000;
/** Browsers keep timers in 32 bits: a longer one would fire immediately. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** @throws TillSyncError `invalid_option` */
export function resolveHttpOptions(options: HttpOptions): ResolvedHttpOptions {
  const { url, getToken, headers, timeoutMs = DEFAULT_TIMEOUT_MS, live = "auto", fetch } = options;
  expectOption(
    isBase(url),
    "url",
    "an http(s) address without user and query, or a path from /",
    // The message may be logged; the user and the password of an address must not be.
    typeof url === "string" ? url.replace(/\/\/[^/]*@/, "//…@") : url,
    'Pass the base path of the server, e.g. "https://shop.example/sync".',
  );
  const isFunction = typeof getToken === "function";
  expectOption(
    isFunction,
    "getToken",
    "a function",
    getToken,
    "It returns the bearer token, and is called before every request.",
  );
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

/**
 * The address of a call. A path is relative to the page; without a page, as in a server that renders it, this throws.
 */
export function addressOf(base: string, path: string): URL {
  return new URL(base + path, globalThis.location?.href);
}

function isBase(url: unknown): url is string {
  if (typeof url !== "string" || /[?#\s]/.test(url)) return false;
  if (/^\/(?!\/)/.test(url)) return true;
  try {
    // fetch refuses an address that contains a user and a password, at every call.
    const { protocol, username, password } = new URL(url);
    return /^https?:$/.test(protocol) && username === "" && password === "";
  } catch {
    return false;
  }
}
