/** Puts the parts of a server together. */
import type { CollectionMap } from "../schema/types.ts";
import { handlerOf } from "./http/handler.ts";
import { type Live, PokeHub } from "./http/live.ts";
import { resolveServerOptions, type SyncHandlerOptions } from "./options.ts";
import type { Publish } from "./service/caller.ts";
import { DeskService } from "./service/desk-service.ts";
import { SyncService } from "./service/sync-service.ts";

/** What `createSyncServer` returns. */
export interface SyncServer {
  /** Answers the requests of `/sync`. Every failure becomes a problem response. */
  readonly handler: (request: Request) => Promise<Response>;
  /** The live channel of `GET /sync/live`, which pokes tills. */
  readonly live: Live;
}

/**
 * A sync server: its handler, and its live channel for servers that can upgrade a request to a WebSocket.
 *
 * @example
 * ```ts
 * const { handler, live } = createSyncServer({ store, authenticate, collections, policies });
 * ```
 * @throws TillSyncError `invalid_option`
 */
export function createSyncServer<const C extends CollectionMap>(options: SyncHandlerOptions<C>): SyncServer {
  const parts = resolveServerOptions(options);
  const live = new PokeHub(parts);
  const publish: Publish = (tenant, device, touched) => live.publish(tenant, device, touched);
  const service = { sync: new SyncService(parts, publish), desks: new DeskService(parts, publish) };
  return { handler: handlerOf(parts, service, live), live };
}

/**
 * The handler of `/sync`, for any server that speaks fetch. Mount it under a path of its own, for all methods. It has
 * no live channel: tills poll.
 *
 * @example
 * ```ts
 * const store = sqliteStore({ path: "shop.sqlite" });
 * const handler = createSyncHandler({ store, authenticate, collections, policies });
 * ```
 * @throws TillSyncError `invalid_option`
 */
export function createSyncHandler<const C extends CollectionMap>(
  options: SyncHandlerOptions<C>,
): (request: Request) => Promise<Response> {
  return createSyncServer(options).handler;
}
