/** What both halves must agree on before the first byte: version, header names, limits. */

import { MAX_JSON_DEPTH } from "../shared/json.ts";

/** The protocol version of this package. `GET /sync/health` lists those that a server speaks. */
export const PROTOCOL_VERSION = 1;

/** Header names, lower-case as `Headers` gives them back. */
export const HEADERS = {
  protocol: "tillsync-protocol",
  requestId: "tillsync-request-id",
  device: "tillsync-device",
  serverTime: "tillsync-server-time",
} as const;

export const CONTENT_TYPE = "application/json";
export const PROBLEM_CONTENT_TYPE = "application/problem+json";

/** The WebSocket subprotocol of `GET /sync/live`, and the prefix under which a browser, which can set no header there, hands over its token (base64url). */
export const LIVE_SUBPROTOCOL = "tillsync.1";
export const LIVE_TOKEN_PREFIX = "tillsync.bearer.";

const KIB = 1024;

/**
 * Checked by the client before its local commit, so that nothing is ever stored that cannot be sent; a server may not offer
 * less [M1]. Bytes are UTF-8 of the JSON.
 */
export const LIMITS = {
  operationBytes: 256 * KIB,
  transactionOperations: 250,
  transactionBytes: 512 * KIB,
  pushOperations: 500,
  pushBytes: 1024 * KIB,
  pushInflatedBytes: 8 * 1024 * KIB,
  pullChanges: 1_000,
  pullBytes: 2 * 1024 * KIB,
  resultsPerAnswer: 1_000,
  jsonDepth: MAX_JSON_DEPTH,
  idLength: 64,
} as const;

export type Limits = { readonly [K in keyof typeof LIMITS]: number };

/** Nested arrays and objects of a whole message: the shop's data, and the frames around it. */
export const MESSAGE_DEPTH = LIMITS.jsonDepth + 8;

/** A blocked operation that nothing woke is sent again after this long, in ms [H2]. */
export const BLOCKED_RETRY_MS = 60_000;

/** The journal keeps final results this long, by server time, in ms: what a restore from backup may have lost [C8]. */
export const JOURNAL_WINDOW_MS = 14 * 24 * 60 * 60 * 1_000;
