/**
 * The Transport port: one request, and one answer that was checked, or a failure as data.
 *
 * The laws, which `describeTransportContract` of `tillsync/testing` tests:
 *
 * - An answer counts only if content type, protocol header, echoed request id and schema all check. Anything else (a
 *   captive portal's 200, another request's answer, half a body) is `unreachable`: the outcome of the request is
 *   unknown.
 * - It never throws and never retries: the sync loop decides what a failure means.
 * - Every call settles within its deadline, also when the body stalls.
 */
import type { ProblemCode } from "../../protocol/codes.ts";
import type {
  PullRequest,
  PullResponse,
  PushRequest,
  PushResponse,
  RegisterRequest,
  RegisterResponse,
} from "../../protocol/types.ts";

/** Why a request failed. docs/errors.md says what becomes of each. */
export type TransportFailure =
  | {
      /** `unreachable`: no tillsync server answered this request. Whether the server received it is unknown. */
      readonly kind: "unreachable";
      /**
       * - `network`: the connection failed.
       * - `timeout`: the answer was not complete within the deadline.
       * - `token_unavailable`: no token could be obtained now.
       * - `foreign_answer`: something else answered: a proxy, a captive portal, another program.
       */
      readonly reason: "network" | "timeout" | "token_unavailable" | "foreign_answer";
      /** What was thrown, or which check the answer did not pass; for logs. */
      readonly cause?: unknown;
    }
  | {
      /** `unauthorised`: there is no valid token. */
      readonly kind: "unauthorised";
      /**
       * - `no_token`: no one is signed in.
       * - `refused`: the server refused the token, and then the next one.
       */
      readonly reason: "no_token" | "refused";
    }
  | {
      /** `throttled`: 429, from the server or a proxy. */
      readonly kind: "throttled";
      /** The `Retry-After` of the answer, in ms. */
      readonly retryAfterMs?: number | undefined;
    }
  | {
      /** `server_error`: 5xx, from the server or a proxy. */
      readonly kind: "server_error";
      /** The HTTP status. */
      readonly status: number;
      /** The `Retry-After` of the answer, in ms. */
      readonly retryAfterMs?: number | undefined;
    }
  | {
      /** `refused`: the server refused the whole request, with a code that says what to do. */
      readonly kind: "refused";
      /** The code of the problem document. */
      readonly code: ProblemCode;
      /** The HTTP status. */
      readonly status: number;
      /** The text for people; it may be empty. */
      readonly detail: string;
      /** The epoch that is valid on the server now, if the answer names it. */
      readonly epoch?: string | undefined;
      /** For `resync_required`: the collections to pull again from the start; all if it is missing. */
      readonly collections?: readonly string[] | undefined;
    }
  | {
      /** `aborted`: the caller's signal aborted. */
      readonly kind: "aborted";
    };

/** What one answer says about the server's clock. */
export interface Timing {
  /** The server's clock, in epoch ms, read at some moment of the round trip. */
  readonly serverTime: number;
  /** How long the round trip took, in ms. */
  readonly roundTripMs: number;
}

/** What became of a request. */
export type TransportResult<T> =
  /** The checked answer is `value`; `timing` says what it showed of the server's clock. */
  | { readonly ok: true; readonly value: T; readonly timing: Timing }
  /** There is no answer that counts: `failure` says why. */
  | { readonly ok: false; readonly failure: TransportFailure };

/** What every request is made with. */
export interface TransportCall {
  /** The id of the device. */
  readonly device: string;
  /** A new id for each request; the answer must echo it. */
  readonly requestId: string;
  /** Cancels the request, which then fails with `aborted`. */
  readonly signal: AbortSignal;
}

/** What a live channel reports to. */
export interface LiveListener {
  /** The server has something new in these collections; if there are none, anywhere. It is a hint: the client then pulls. */
  poke(collections: readonly string[]): void;
  /** The channel has closed, or could not be opened. */
  closed(): void;
}

/** The connection to a tillsync server. */
export interface Transport {
  /** Its name, such as `http`. */
  readonly kind: string;
  /** Marks the object as an implementation of this port. */
  readonly "~port": "transport";
  /** `POST /sync/register`: introduces the store to the server. */
  register(request: RegisterRequest, call: TransportCall): Promise<TransportResult<RegisterResponse>>;
  /** `POST /sync/push`: sends operations. */
  push(request: PushRequest, call: TransportCall): Promise<TransportResult<PushResponse>>;
  /** `POST /sync/pull`: asks for rows that others have changed. */
  pull(request: PullRequest, call: TransportCall): Promise<TransportResult<PullResponse>>;
  /** `GET /sync/time`: the server's clock. It needs no token. */
  time(call: TransportCall): Promise<TransportResult<{ readonly serverTime: string }>>;
  /**
   * Opens a channel for pokes until the signal aborts. It ends with exactly one `closed()`, after which there is no
   * poke. A transport without such a channel leaves it out.
   */
  live?(listener: LiveListener, call: TransportCall): void;
}
