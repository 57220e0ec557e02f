/**
 * Pokes: hints without content that something has changed, so tills pull now instead of at their next poll [M7].
 *
 * They reach the sockets of this process and, through a relay, those of other processes. Nothing depends on a poke:
 * without one, a till learns of a change at its next poll.
 */
import { LIVE_SUBPROTOCOL, LIVE_TOKEN_PREFIX } from "../../protocol/constants.ts";
import type { Poke } from "../../protocol/types.ts";
import type { ServerParts } from "../options.ts";
import type { Principal } from "../policy-types.ts";
import { ask } from "../ports/store.ts";
import { problemOf, revoked, throwStoreFailure } from "../problems.ts";
import { fromBase64Url } from "../tokens/seal.ts";
import { deviceOf, principalOf } from "./authenticate.ts";
import { acceptsGzip, answerProblem } from "./respond.ts";

/** The part of a WebSocket that the server uses. */
export interface LiveSocket {
  /** Sends a text message. If it throws, the socket is dropped. */
  send(text: string): void;
  /** Closes the socket; `code` as in RFC 6455. The server calls it when the token expires. */
  close(code?: number, reason?: string): void;
}

/** The permission of one request to open a socket. */
export interface LiveAdmission {
  /** From now on the socket is poked. Call `close` on the result when the socket has closed. */
  attach(socket: LiveSocket): { close(): void };
}

/** The live channel, for servers that upgrade requests to WebSockets in their own way. */
export interface Live {
  /**
   * Checks who is calling, before the upgrade. Returns an admission, or the problem to answer with instead of upgrading.
   */
  admit(request: Request): Promise<LiveAdmission | Response>;
  /**
   * `admit` and `attach` in one, for a socket that is already open. If it returns a `Response`, close the socket;
   * otherwise call `close` on the result when the socket has closed.
   */
  connect(request: Request, socket: LiveSocket): Promise<{ close(): void } | Response>;
}

interface Connection {
  readonly device: string | undefined;
  readonly socket: LiveSocket;
  /** Aborted when the socket is detached. */
  readonly gone: AbortController;
  /** Collected until the end of the microtask, so ten pushes that commit together are one poke. */
  pending: Set<string> | undefined;
}

/** RFC 6455, 7.4.1. */
const POLICY_VIOLATION = 1008;

export class PokeHub implements Live {
  readonly #parts: ServerParts;
  readonly #tenants = new Map<string, Set<Connection>>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
    parts.pokes?.subscribe(({ tenant, device, collections }) => this.#deliver(tenant, device, collections));
  }

  async admit(original: Request): Promise<LiveAdmission | Response> {
    const request = requestWithLiveToken(original);
    const requestId = this.#parts.random.uuid();
    try {
      const principal = await principalOf(this.#parts, request);
      const device = deviceOf(principal, request);
      if (device !== undefined && (await this.#isRevoked(principal.tenant, device))) throw revoked();
      return { attach: (socket) => this.#attach(principal, device, socket) };
    } catch (error) {
      const context = { requestId, now: this.#parts.clock.now(), acceptsGzip: acceptsGzip(request) };
      return answerProblem(context, problemOf(error, requestId, this.#parts.logger));
    }
  }

  async connect(request: Request, socket: LiveSocket): Promise<{ close(): void } | Response> {
    const admission = await this.admit(request);
    return admission instanceof Response ? admission : admission.attach(socket);
  }

  /** Pokes every socket of the tenant except those of the device that made the change: that device has its answer. */
  publish(tenant: string, device: string | undefined, collections: readonly string[]): void {
    this.#deliver(tenant, device, collections);
    this.#parts.pokes?.publish({ tenant, device, collections });
  }

  #deliver(tenant: string, device: string | undefined, collections: readonly string[]): void {
    for (const connection of this.#tenants.get(tenant) ?? []) {
      if (device !== undefined && connection.device === device) continue;
      if (connection.pending === undefined) {
        connection.pending = new Set();
        queueMicrotask(() => this.#flush(tenant, connection));
      }
      for (const collection of collections) connection.pending.add(collection);
    }
  }

  #flush(tenant: string, connection: Connection): void {
    const poke: Poke = { collections: [...(connection.pending ?? [])] };
    connection.pending = undefined;
    try {
      connection.socket.send(JSON.stringify(poke));
    } catch (error) {
      // The socket was lost without a close event: the till polls, and connects again.
      this.#parts.logger.debug("A poke could not be sent", { tenant, cause: String(error) });
      this.#detach(tenant, connection);
    }
  }

  #attach({ tenant, expiresAt }: Principal, device: string | undefined, socket: LiveSocket): { close(): void } {
    const connection: Connection = { device, socket, gone: new AbortController(), pending: undefined };
    const connections = this.#tenants.get(tenant);
    if (connections === undefined) this.#tenants.set(tenant, new Set([connection]));
    else connections.add(connection);
    if (expiresAt !== undefined) void this.#endAt(expiresAt, tenant, connection);
    return { close: () => this.#detach(tenant, connection) };
  }

  /** Closes the socket when its token expires: the till then gets a new token and connects again. */
  async #endAt(moment: number, tenant: string, connection: Connection): Promise<void> {
    const { clock, logger } = this.#parts;
    const { signal } = connection.gone;
    try {
      // Checks the time again after each sleep: a timer of the platform has a maximum, and may fire early.
      for (let ms = moment - clock.now(); ms > 0; ms = moment - clock.now()) await clock.sleep(ms, signal);
    } catch (error) {
      if (signal.aborted) return; // the socket was detached before its token expired
      logger.error("The clock's sleep failed: a socket is closed early", { tenant, cause: String(error) });
    }
    this.#detach(tenant, connection);
    try {
      connection.socket.close(POLICY_VIOLATION, "The token has ended");
    } catch (error) {
      logger.debug("A socket could not be closed", { tenant, cause: String(error) });
    }
  }

  #detach(tenant: string, connection: Connection): void {
    connection.gone.abort();
    const connections = this.#tenants.get(tenant);
    connections?.delete(connection);
    if (connections?.size === 0) this.#tenants.delete(tenant);
  }

  async #isRevoked(tenant: string, device: string): Promise<boolean> {
    const rows = await this.#parts.store
      .read(tenant, function* script() {
        return yield* ask({ kind: "devices", ids: [device] });
      })
      .catch(throwStoreFailure);
    return rows[0]?.revokedAt !== undefined;
  }
}

/**
 * The request with its live token in the `authorization` header. A browser can't set headers on a WebSocket: it offers
 * the token as a subprotocol. A request without such a token, or with an `authorization` header, is returned as it is.
 */
export function requestWithLiveToken(request: Request): Request {
  const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  const token = offered.find((name) => name.startsWith(LIVE_TOKEN_PREFIX))?.slice(LIVE_TOKEN_PREFIX.length);
  if (token === undefined || request.headers.has("authorization")) return request;
  const headers = new Headers(request.headers);
  // The token is not passed on in this header.
  headers.set("sec-websocket-protocol", LIVE_SUBPROTOCOL);
  try {
    headers.set("authorization", `Bearer ${fromBase64Url(token)}`);
  } catch {
    // The token is not base64url, or not valid in a header. The request stays without one, and is not admitted.
  }
  return new Request(request.url, { headers });
}
