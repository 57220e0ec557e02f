/**
 * Pokes: hints without content that something has changed, so tills pull now instead of at their next poll [M7].
 *
 * A poke names only what the socket's token may read, in its branch. Pokes reach the sockets of this process and,
 * through a relay, those of other processes. Nothing depends on a poke: without one, a till learns of a change at its
 * next poll.
 */
import { LIVE_SUBPROTOCOL, LIVE_TOKEN_PREFIX } from "../../protocol/constants.ts";
import type { Poke } from "../../protocol/types.ts";
import type { ServerParts } from "../options.ts";
import type { Principal } from "../policy-types.ts";
import { ask } from "../ports/store.ts";
import { problemOf, RequestProblem, revoked, throwStoreFailure } from "../problems.ts";
import { type Hint, type Touched, visiblePoke } from "../service/visible-poke.ts";
import { fromBase64Url } from "../tokens/seal.ts";
import { deviceOf, principalOf } from "./authenticate.ts";
import { acceptsGzip, answerProblem } from "./respond.ts";

/** The part of a WebSocket that the server uses. */
export interface LiveSocket {
  /** Sends a text message. If it throws, the socket is dropped. */
  send(text: string): void;
  /**
   * Closes the socket; `code` as in RFC 6455. The server calls it with 1008 when the token has ended or the device is
   * revoked, and with 1013 when the device has opened four newer ones.
   */
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
  /**
   * Who has opened it: the token's device, or otherwise the token. Not what a header claims: whoever has a token without
   * a device could close the sockets of any till. `undefined`: `authenticate` looks at something else.
   */
  readonly caller: string | undefined;
  readonly socket: LiveSocket;
  /** The request that opened the socket, without its body: what it is allowed is asked again before each poke. */
  readonly request: Request;
  /** Aborted when the socket is detached. */
  readonly gone: AbortController;
  /** Where something has changed since the last poke, each place once. */
  readonly pending: Map<string, Hint>;
}

/** The connections of one tenant. */
interface Room {
  readonly connections: Set<Connection>;
  /** The same by caller, the oldest first. */
  readonly byCaller: Map<string, Set<Connection>>;
  isPoking: boolean;
}

/** RFC 6455, 7.4.1. */
const POLICY_VIOLATION = 1008;
/** https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number */
const TRY_AGAIN_LATER = 1013;
const REVOKED = "The device was revoked";
/**
 * Each socket costs memory, and a check of its token at every poke. A till has one, and one more for each page that broke
 * off without saying so. The newest stay: a till that comes back is not kept out by what it has left behind.
 */
const MAX_SOCKETS_OF_CALLER = 4;

export class PokeHub implements Live {
  readonly #parts: ServerParts;
  readonly #tenants = new Map<string, Room>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
    parts.pokes?.subscribe(({ tenant, device, collections, scope }) => {
      const hints = collections.map((collection): Hint => ({ collection, scope }));
      this.#deliver(tenant, device, hints.length > 0 ? hints : [{ scope }]);
    });
  }

  async admit(original: Request): Promise<LiveAdmission | Response> {
    const request = requestWithLiveToken(original);
    const requestId = this.#parts.random.uuid();
    try {
      const principal = await principalOf(this.#parts, request);
      const device = deviceOf(principal, request);
      const { size } = await this.#revokedAmong(principal.tenant, device === undefined ? [] : [device]);
      if (size > 0) throw revoked();
      return {
        attach: (socket) =>
          this.#attach(principal, {
            ...{ device, socket },
            caller: principal.device ?? request.headers.get("authorization") ?? undefined,
            request: new Request(request.url, { headers: request.headers }),
          }),
      };
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
  publish(tenant: string, device: string | undefined, touched: readonly Touched[]): void {
    this.#deliver(tenant, device, touched);
    const byScope = new Map<string | undefined, Set<string>>();
    for (const { collection, scope } of touched) {
      const collections = byScope.get(scope) ?? new Set();
      byScope.set(scope, collections.add(collection));
    }
    for (const [scope, collections] of byScope)
      this.#parts.pokes?.publish({ tenant, device, collections: [...collections], scope });
  }

  /** A request of the device was refused because it was revoked: its sockets need not wait for the next poke. */
  endDevice(tenant: string, device: string): void {
    for (const connection of this.#tenants.get(tenant)?.connections ?? [])
      if (connection.device === device) this.#end(tenant, connection, REVOKED);
  }

  #deliver(tenant: string, device: string | undefined, hints: readonly Hint[]): void {
    const room = this.#tenants.get(tenant);
    if (room === undefined) return;
    for (const connection of room.connections) {
      if (device !== undefined && connection.device === device) continue;
      for (const hint of hints) connection.pending.set(JSON.stringify([hint.collection, hint.scope]), hint);
    }
    if (!room.isPoking) void this.#pokeAll(tenant, room);
  }

  /** Ten pushes that commit together are one poke: what comes while the tokens are checked goes out with the rest. */
  async #pokeAll(tenant: string, room: Room): Promise<void> {
    room.isPoking = true;
    for (;;) {
      const waiting = [...room.connections].filter(({ pending }) => pending.size > 0);
      if (waiting.length === 0) break;
      try {
        await this.#poke(tenant, waiting);
      } catch (error) {
        // The hints are lost, and the tills poll.
        for (const { pending } of waiting) pending.clear();
        this.#parts.logger.debug("Tills could not be poked", { tenant, cause: String(error) });
      }
    }
    room.isPoking = false;
  }

  /**
   * A socket may be older than its rights. So before each poke its token and its device are asked for again, one read for
   * all of the tenant's sockets. That costs less than the pull which each poke leads to.
   */
  async #poke(tenant: string, waiting: readonly Connection[]): Promise<void> {
    const devices = new Set(waiting.flatMap(({ device }) => device ?? []));
    const [principals, revokedOnes] = await Promise.all([
      Promise.all(waiting.map((connection) => this.#principalOf(tenant, connection))),
      this.#revokedAmong(tenant, [...devices]),
    ]);
    for (const [index, connection] of waiting.entries()) {
      const hints = [...connection.pending.values()];
      connection.pending.clear();
      const principal = principals[index];
      if (connection.gone.signal.aborted || principal === "unknown") continue;
      if (principal === undefined) this.#end(tenant, connection, "The token has ended");
      else if (connection.device !== undefined && revokedOnes.has(connection.device))
        this.#end(tenant, connection, REVOKED);
      else this.#send(tenant, connection, visiblePoke(this.#parts.catalog, principal, hints));
    }
  }

  /** Whom the socket's token stands for now. `undefined`: for nobody, or for somebody else. */
  async #principalOf(tenant: string, { request, device }: Connection): Promise<Principal | "unknown" | undefined> {
    try {
      const principal = await principalOf(this.#parts, request);
      return principal.tenant === tenant && deviceOf(principal, request) === device ? principal : undefined;
    } catch (error) {
      if (error instanceof RequestProblem && error.code !== "unavailable") return undefined;
      this.#parts.logger.debug("A live token could not be checked", { tenant, cause: String(error) });
      return "unknown";
    }
  }

  #send(tenant: string, connection: Connection, poke: Poke | undefined): void {
    if (poke === undefined) return;
    try {
      connection.socket.send(JSON.stringify(poke));
    } catch (error) {
      // The socket was lost without a close event: the till polls, and connects again.
      this.#parts.logger.debug("A poke could not be sent", { tenant, cause: String(error) });
      this.#detach(tenant, connection);
    }
  }

  #attach({ tenant, expiresAt }: Principal, opened: Omit<Connection, "gone" | "pending">): { close(): void } {
    const connection: Connection = { ...opened, gone: new AbortController(), pending: new Map() };
    const room = this.#tenants.get(tenant) ?? { connections: new Set(), byCaller: new Map(), isPoking: false };
    this.#tenants.set(tenant, room);
    room.connections.add(connection);
    if (opened.caller !== undefined) {
      const own = room.byCaller.get(opened.caller) ?? new Set();
      room.byCaller.set(opened.caller, own.add(connection));
      const [oldest] = own;
      if (oldest !== undefined && own.size > MAX_SOCKETS_OF_CALLER)
        this.#end(tenant, oldest, "Newer sockets are open", TRY_AGAIN_LATER);
    }
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
    this.#end(tenant, connection, "The token has ended");
  }

  #end(tenant: string, connection: Connection, reason: string, code = POLICY_VIOLATION): void {
    this.#detach(tenant, connection);
    try {
      connection.socket.close(code, reason);
    } catch (error) {
      this.#parts.logger.debug("A socket could not be closed", { tenant, cause: String(error) });
    }
  }

  #detach(tenant: string, connection: Connection): void {
    connection.gone.abort();
    const room = this.#tenants.get(tenant);
    if (room === undefined) return;
    room.connections.delete(connection);
    if (connection.caller !== undefined) {
      const own = room.byCaller.get(connection.caller);
      own?.delete(connection);
      if (own?.size === 0) room.byCaller.delete(connection.caller);
    }
    if (room.connections.size === 0) this.#tenants.delete(tenant);
  }

  async #revokedAmong(tenant: string, devices: readonly string[]): Promise<ReadonlySet<string>> {
    if (devices.length === 0) return new Set();
    const rows = await this.#parts.store
      .read(tenant, function* script() {
        return yield* ask({ kind: "devices", ids: devices });
      })
      .catch(throwStoreFailure);
    return new Set(rows.filter(({ revokedAt }) => revokedAt !== undefined).map(({ id }) => id));
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
