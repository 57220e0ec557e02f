/** `tillsync/server/hono`: the sync endpoints as a Hono app, with the live channel where there is a WebSocket helper. */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { CollectionMap } from "../../schema/types.ts";
import type { LiveAdmission } from "../http/live.ts";
import type { SyncHandlerOptions } from "../options.ts";
import { createSyncServer } from "../server.ts";

/** As much of Hono's `WSContext` as is needed. */
interface HonoSocket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
}
interface HonoSocketEvents {
  onOpen(event: unknown, socket: HonoSocket): void;
  onClose(event: unknown, socket: HonoSocket): void;
  onError(event: unknown, socket: HonoSocket): void;
}

/** The helper of the runtime's adapter: `upgradeWebSocket` of `@hono/node-server` 2, of `hono/deno`, of `hono/cloudflare-workers`. */
// biome-ignore lint/suspicious/noExplicitAny: each adapter types its own context and events
export type UpgradeWebSocket = (createEvents: (context: any) => any) => MiddlewareHandler<any, any, any>;

export type SyncRoutesOptions<C extends CollectionMap> = SyncHandlerOptions<C> & {
  /** Without it there is no `/live`, and tills poll. */
  upgradeWebSocket?: UpgradeWebSocket | undefined;
};

/**
 * All endpoints, to be mounted under one path.
 *
 * @example
 * ```ts
 * app.route("/sync", syncRoutes({ store, authenticate, collections, policies, upgradeWebSocket }));
 * ```
 * @throws TillSyncError `invalid_option`
 */
export function syncRoutes<const C extends CollectionMap>(options: SyncRoutesOptions<C>): Hono {
  const { upgradeWebSocket, ...rest } = options;
  // The rest of an intersection with a generic is not the generic's own type any more.
  const { handler, live } = createSyncServer(rest as unknown as SyncHandlerOptions<C>);
  const app = new Hono();
  if (upgradeWebSocket !== undefined) {
    const admissions = new WeakMap<Request, LiveAdmission>();
    // Before the upgrade: afterwards a refusal could only be a closed socket, which says nothing.
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
