/** What every answer carries, and which pages may open a socket. */
import type { Context } from "hono";
import { ProblemError } from "./problem.ts";
import type { Caller, SecurityLog } from "./security-log.ts";

/** A year, as the browsers' preload lists ask for. */
const HSTS = "max-age=31536000; includeSubDomains";

/** @param hsts whether browsers must use TLS from now on, for this host and those below it */
export function safeHeaders(hsts: boolean) {
  return async (context: Context, next: () => Promise<void>): Promise<void> => {
    await next();
    if (isUpgrade(context)) return;
    context.header("x-content-type-options", "nosniff");
    if (hsts) context.header("strict-transport-security", HSTS);
  };
}

/**
 * Refuses sockets to pages of other origins: CORS does not apply to them. What sends no origin is not a browser, and
 * could send any.
 */
export function ownSockets(
  origins: readonly string[],
  securityLog: SecurityLog,
  callerOf: (context: Context) => Caller,
) {
  return async (context: Context, next: () => Promise<void>): Promise<void> => {
    const origin = isUpgrade(context) ? context.req.header("origin") : undefined;
    if (origin !== undefined && !origins.includes(origin) && !isOwn(origin, context.req.header("host"))) {
      securityLog({ event: "origin_refused", ...callerOf(context) });
      throw new ProblemError(
        "origin_refused",
        "Expected a page of this server. Start the server with --origin to allow another one.",
      );
    }
    await next();
  };
}

/** The scheme is left out: behind a proxy, this server does not know that the page came over TLS. */
function isOwn(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

function isUpgrade(context: Context): boolean {
  return context.req.header("upgrade")?.toLowerCase() === "websocket";
}
