/**
 * `tillsync/server/hono`: the sync endpoints as a Hono app, with the live channel if there is a WebSocket helper.
 *
 * @module tillsync/server/hono
 */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { CollectionMap } from "../../schema/types.ts";
import type { LiveAdmission } from "../http/live.ts";
import type { SyncHandlerOptions } from "../options.ts";
import { createSyncServer } from "../server.ts";

export { guardUpgrades, type UpgradingServer } from "./guard-upgrades.ts";

/** The part of Hono's `WSContext` that is used. */
interface HonoSocket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
}
interface HonoSocketEvents {
  onOpen(event: unknown, socket: HonoSocket): void;
  onClose(event: unknown, socket: HonoSocket): void;
  onError(event: unknown, socket: HonoSocket): void;
}

/**
 * The helper of the runtime's adapter: `upgradeWebSocket` of `@hono/node-server` 2, of `hono/deno`, or of
 * `hono/cloudflare-workers`.
 */
// biome-ignore lint/suspicious/noExplicitAny: each adapter types its own context and events
export type UpgradeWebSocket = (createEvents: (context: any) => any) => MiddlewareHandler<any, any, any>;

/** What `syncRoutes` takes: the options of `createSyncHandler`, and the WebSocket helper. */
export type SyncRoutesOptions<C extends CollectionMap> = SyncHandlerOptions<C> & {
  /** Opens the live channel at `/live`. @default none: there is no `/live`, and tills poll */
  upgradeWebSocket?: UpgradeWebSocket | undefined;
};

/**
 * All endpoints as a Hono app, to be mounted under one path.
 *
 * @example
 * ```ts
 * import { upgradeWebSocket } from "@hono/node-server";
 *
 * app.route("/sync", syncRoutes({ store, authenticate, collections, policies, upgradeWebSocket }));
 * ```
 * @throws TillSyncError `invalid_option`
 */
export function syncRoutes<const C extends CollectionMap>(options: SyncRoutesOptions<C>): Hono {
  const { upgradeWebSocket, ...rest } = options;
  // TypeScript does not give the rest of an intersection the generic's own type.
  const { handler, live } = createSyncServer(rest as unknown as SyncHandlerOptions<C>);
  const app = new Hono();
  if (upgradeWebSocket !== undefined) {
    const admissions = new WeakMap<Request, LiveAdmission>();
    // Before the upgrade: after it, a refusal could only close the socket, without a reason that a till could read.
    const admit: MiddlewareHandler = async (context, next) => {
      if (!isUpgrade(context)) return handler(context.req.raw);
      const admitted = await live.admit(context.req.raw);
      if (admitted instanceof Response) return admitted;
      admissions.set(context.req.raw, admitted);
      return next();
    };
    const upgrade = upgradeWebSocket((context: Context) => events(admissions.get(context.req.raw)));
    app.get("/live", admit, upgrade);
  }
  app.all("*", (context) => handler(context.req.raw));
  return app;
}

function isUpgrade(context: Context): boolean {
  return context.req.header("upgrade")?.toLowerCase() === "websocket";
}

function events(admission: LiveAdmission | undefined): HonoSocketEvents {
  let attached: { close(): void } | undefined;
  const end = () => attached?.close();
  return {
    onOpen(_event, socket) {
      attached = admission?.attach(socket);
      if (attached === undefined) socket.close(1008, "Not admitted");
    },
    onClose: end,
    onError: end,
  };
}
