/** What client and server must agree on before the first request: version, header names, limits. */
import { MAX_JSON_DEPTH } from "../shared/json.ts";

/** The version of the protocol that this package speaks. `GET /sync/health` lists those that a server speaks. */
export const PROTOCOL_VERSION = 1;

/** The names of the headers, in lower case, as `Headers` returns them. */
export const HEADERS = {
  protocol: "tillsync-protocol",
  requestId: "tillsync-request-id",
  device: "tillsync-device",
  serverTime: "tillsync-server-time",
} as const;

/** The content type of requests and of answers that succeed. */
export const CONTENT_TYPE = "application/json";
/** The content type of errors. */
export const PROBLEM_CONTENT_TYPE = "application/problem+json";

/** The WebSocket subprotocol of `GET /sync/live`. */
export const LIVE_SUBPROTOCOL = "tillsync.1";
/**
 * A browser can't set headers on a WebSocket. It offers its token as a second subprotocol: this prefix, and the token
 * in base64url without padding.
 */
export const LIVE_TOKEN_PREFIX = "tillsync.bearer.";

const KIB = 1024;

/**
 * The limits of the protocol. A client checks them before its local commit: nothing is stored that can never be sent.
 * A server may offer more, never less [M1]. Bytes are those of the JSON in UTF-8.
 */
export const LIMITS = {
  /** One operation. */
  operationBytes: 256 * KIB,
  /** Operations of one transaction, and ids in `after` and in `supersedes`. */
  transactionOperations: 250,
  /** The members that a server has assigned to one record, which come back with the operation after a restore. */
  assignedBytes: 2 * KIB,
  /** All operations of one transaction together. */
  transactionBytes: 512 * KIB,
  /** Operations of one push. */
  pushOperations: 500,
  /** The body of a request as it is sent, which may be compressed. */
  pushBytes: 1024 * KIB,
  /** The body of a request after it was decompressed. */
  pushInflatedBytes: 8 * 1024 * KIB,
  /** Changes in one answer to a pull, of all collections together. */
  pullChanges: 1_000,
  /** Rows in one answer to a pull, and results in an answer that the request did not ask for; at least one is sent. */
  pullBytes: 2 * 1024 * KIB,
  /** Results in an answer to a pull, and results in an answer to a push beside those of its operations. */
  resultsPerAnswer: 1_000,
  /** Nested arrays and objects of the shop's data, the outermost one included. */
  jsonDepth: MAX_JSON_DEPTH,
  /** Characters of an id. */
  idLength: 64,
} as const;

/** The limits that one server offers, by the names in {@link LIMITS}. */
export type Limits = { readonly [K in keyof typeof LIMITS]: number };

/** Nested arrays and objects of a whole message: the shop's data and the message around it. */
export const MESSAGE_DEPTH = LIMITS.jsonDepth + 8;

/** How long a client keeps back a blocked operation if no final result arrives, in ms [H2]. */
export const BLOCKED_RETRY_MS = 60_000;

/**
 * How long a client keeps final results in its journal, by the server's clock, in ms [C8]. After a restore from a
 * backup it sends these operations again.
 */
export const JOURNAL_WINDOW_MS = 14 * 24 * 60 * 60 * 1_000;
