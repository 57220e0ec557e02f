/**
 * The Transport port: one request, one answer that was checked, or a failure as data.
 *
 * The laws, held by `describeTransportContract` of `tillsync/testing`:
 *
 * - An answer counts only if content type, protocol header, echoed request id and schema all check; whatever else came
 *   (a captive portal's 200, another request's answer, half a body) is `unreachable`: the outcome is unknown.
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

export type TransportFailure =
  /** No answer of a tillsync server: the network, a proxy, a portal, a deadline. */
  | {
      readonly kind: "unreachable";
      readonly reason: "network" | "timeout" | "token_unavailable" | "foreign_answer";
      readonly cause?: unknown;
    }
  /** Nobody is signed in (`no_token`), or the server refused the token twice (`refused`). */
  | { readonly kind: "unauthorised"; readonly reason: "no_token" | "refused" }
  | { readonly kind: "throttled"; readonly retryAfterMs?: number | undefined }
  /** 5xx of the server itself. */
  | { readonly kind: "server_error"; readonly status: number; readonly retryAfterMs?: number | undefined }
  /** A problem document with a code that says what to do. */
  | {
      readonly kind: "refused";
      readonly code: ProblemCode;
      readonly status: number;
      readonly detail: string;
      readonly epoch?: string | undefined;
      readonly collections?: readonly string[] | undefined;
    }
  | { readonly kind: "aborted" };

/** The server's clock as one answer showed it: `serverTime` was read somewhere in the `roundTripMs` before the answer. */
export interface Timing {
  readonly serverTime: number;
  readonly roundTripMs: number;
}

export type TransportResult<T> =
  | { readonly ok: true; readonly value: T; readonly timing: Timing }
  | { readonly ok: false; readonly failure: TransportFailure };

export interface TransportCall {
  readonly device: string;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

export interface LiveListener {
  /** The server has something new. A hint: the client pulls. */
  poke(collections: readonly string[]): void;
  /** The socket has gone, or could not be had. */
  closed(): void;
}

export interface Transport {
  readonly kind: string;
  readonly "~port": "transport";
  register(request: RegisterRequest, call: TransportCall): Promise<TransportResult<RegisterResponse>>;
  push(request: PushRequest, call: TransportCall): Promise<TransportResult<PushResponse>>;
  pull(request: PullRequest, call: TransportCall): Promise<TransportResult<PullResponse>>;
  time(call: TransportCall): Promise<TransportResult<{ readonly serverTime: string }>>;
  /** Opens a channel for pokes until the signal aborts; absent where there is none. Ends with exactly one `closed()`, and no poke follows it. */
  live?(listener: LiveListener, call: TransportCall): void;
}
