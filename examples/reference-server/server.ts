/** Opens the databases, listens, and shuts down gracefully. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, upgradeWebSocket, type WebSocketServerLike } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context, Hono } from "hono";
import type { Logger } from "tillsync";
import { LIVE_SUBPROTOCOL } from "tillsync/protocol";
import { revokeDevice, type ServerStore } from "tillsync/server";
import { guardUpgrades } from "tillsync/server/hono";
import { WebSocketServer } from "ws";
import { createApp } from "./app.ts";
import type { AuthPolicy, AuthService } from "./auth/auth-service.ts";
import { callerOf } from "./caller.ts";
import { openDatabases } from "./database.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { isLoopback, UsageError } from "./options.ts";
import type { Page } from "./page.ts";
import type { SecurityLog } from "./security-log.ts";
import { DEMO, seedDemo } from "./seed.ts";

export interface ServerOptions extends AuthPolicy {
  /** A file, created with its folder if there is none, or `postgres://…`. `":memory:"` keeps nothing. */
  readonly database: string;
  /** The database of users, devices and sessions. @default the same as `database` */
  readonly authDatabase?: string | undefined;
  /** 0: any free port. @default 8787 */
  readonly port?: number | undefined;
  /** @default "127.0.0.1": this computer only */
  readonly host?: string | undefined;
  /**
   * How many of your own proxies every request passes through. The first one reports the caller's address. @default 0
   */
  readonly proxies?: number | undefined;
  /** `"demo"`: a shop to try, in a database without a shop. @default "none" */
  readonly seed?: "demo" | "none" | undefined;
  readonly origins?: readonly string[] | undefined;
  /** What browsers receive at `/`. @default none: only the API */
  readonly page?: Page | undefined;
  /**
   * Signs the tokens instead of the key that is stored with the users. Several, separated by commas: the first one
   * signs.
   */
  readonly secret?: string | undefined;
  /** Whether browsers must use TLS for this host from now on. @default false */
  readonly hsts?: boolean | undefined;
  readonly logger?: Logger | undefined;
  /** @default `info` of the logger */
  readonly securityLog?: SecurityLog | undefined;
  readonly now?: (() => number) | undefined;
}

export interface RunningServer {
  /** `http://127.0.0.1:8787` */
  readonly url: string;
  readonly app: Hono;
  readonly auth: AuthService;
  readonly store: ServerStore;
  readonly hasDemo: boolean;
  /** Finishes the requests under way and closes the sockets, then the databases. */
  close(): Promise<void>;
}

/** How long requests under way may take during shutdown. */
const GRACE_MS = 10_000;
const SWEEP_MS = 50;
/** The WebSocket close code with which a server leaves: clients reconnect. */
const GOING_AWAY = 1001;
/** A till receives pokes on its socket and sends nothing. */
const MAX_SOCKET_MESSAGE_BYTES = 1_024;

/** @throws UsageError, WeakKeyError, ExposedFileError, AuthDatabaseError, TillSyncError `storage_…`, an error of Node's `listen` */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { database, authDatabase = database, host = "127.0.0.1", port = 8_787, proxies = 0, logger } = options;
  const databases = await openDatabases({ database, authDatabase, secret: options.secret, logger });
  const { store, authStore, keys, pokes } = databases;
  try {
    const hasDemo = options.seed === "demo" || (await authStore.userByEmail(DEMO.email)) !== undefined;
    if (hasDemo && !isLoopback(host)) {
      throw new UsageError(
        `Expected a database without the demo shop on --host ${host}, got one with it: its password is public. ` +
          "Start with another --database, or on 127.0.0.1.",
      );
    }
    for (const { tenant, device } of await authStore.revocations()) await revokeDevice({ store, tenant, device });
    const { app, auth } = createApp({
      ...options,
      store,
      authStore,
      keys,
      upgradeWebSocket,
      pokes,
      addressOf: (context) => callerBehind(context, proxies),
    });
    if (options.seed === "demo" && !(await authStore.hasTenants())) await seedDemo(store, auth);
    const listening = await listen(app, host, port);
    return {
      url: listening.url,
      app,
      auth,
      store,
      hasDemo: (await authStore.userByEmail(DEMO.email)) !== undefined,
      async close() {
        await listening.close();
        await auth.settle();
        await databases.close();
      },
    };
  } catch (error) {
    await databases.close();
    throw error;
  }
}

function callerBehind(context: Context, proxies: number): string {
  // Without a connection: the app was called in this process.
  const peer = context.env?.incoming === undefined ? undefined : getConnInfo(context).remote.address;
  return callerOf(peer, context.req.header("x-forwarded-for"), proxies);
}

async function listen(app: Hono, host: string, port: number) {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_SOCKET_MESSAGE_BYTES,
    // Only the protocol's own name: the others may contain a token, which must not be echoed.
    handleProtocols: (offered) => (offered.has(LIVE_SUBPROTOCOL) ? LIVE_SUBPROTOCOL : false),
  });
  const websocket = { server: sockets as unknown as WebSocketServerLike };
  const server = guardUpgrades(createAdaptorServer({ fetch: app.fetch, websocket }) as Server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { port: actual } = server.address() as AddressInfo;
  const stopHeartbeat = startHeartbeat(sockets);
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actual}`,
    async close() {
      stopHeartbeat();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets.clients) socket.close(GOING_AWAY);
      // A connection whose request was just answered stays open for the next request, which will not arrive.
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
      const timer = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
        server.closeAllConnections();
      }, GRACE_MS);
      await closed;
      clearInterval(sweep);
      clearTimeout(timer);
    },
  };
}
