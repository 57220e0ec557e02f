/** The Transport over HTTP: requests with ky, pokes over a WebSocket. */
import type { Transport } from "../../client/ports/transport.ts";
import { isPullResponse, isPushResponse, isRegisterResponse, isTimeResponse } from "../../protocol/answers.ts";
import { createGzip } from "./gzip.ts";
import { openLive } from "./live.ts";
import { type HttpOptions, resolveHttpOptions } from "./options.ts";
import { type Connection, send } from "./request.ts";
import { withSharedRenewal } from "./token.ts";

export type { HttpOptions, TokenRequest } from "./options.ts";

/**
 * Creates a transport to a tillsync server, over HTTP.
 *
 * @throws TillSyncError `invalid_option`
 * @example
 * const transport = http({
 *   url: "https://shop.example/sync",
 *   getToken: ({ refused, signal }) => (refused === undefined ? session.accessToken : renew(refused, signal)),
 * });
 */
export function http(options: HttpOptions): Transport {
  const resolved = resolveHttpOptions(options);
  const connection: Connection = {
    options: { ...resolved, getToken: withSharedRenewal(resolved.getToken) },
    gzip: createGzip(),
  };
  return {
    kind: "http",
    "~port": "transport",
    register: (request, call) => send(connection, register, call, request),
    push: (request, call) => send(connection, push, call, request),
    pull: (request, call) => send(connection, pull, call, request),
    time: (call) => send(connection, time, call),
    ...(resolved.live === "auto" && {
      live(listener, call) {
        void openLive(connection.options, listener, call.signal);
      },
    }),
  };
}

const register = { path: "/register", accepts: isRegisterResponse } as const;
const push = { path: "/push", accepts: isPushResponse } as const;
const pull = { path: "/pull", accepts: isPullResponse } as const;
const time = { path: "/time", accepts: isTimeResponse, open: true } as const;
