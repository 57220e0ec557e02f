/** What is logged of each request: a line for those who run the server, and what belongs in the security log. */
import type { Context } from "hono";
import type { Logger } from "tillsync";
import { LIVE_TOKEN_PREFIX } from "tillsync/protocol";
import type { AuthService } from "./auth/auth-service.ts";
import type { Identity } from "./auth/sessions.ts";
import { bounded, type Caller, type SecurityEvent, type SecurityLog } from "./security-log.ts";

const MAX_PATH = 128;

export interface RequestLogOptions {
  readonly logger: Logger;
  readonly securityLog: SecurityLog;
  readonly auth: AuthService;
  readonly callerOf: (context: Context) => Caller;
}

/** Logs method, path and status; no query, no body, no token, and no text of a caller who is not known. */
export function requestLog({ logger, securityLog, auth, callerOf }: RequestLogOptions) {
  return async (context: Context, next: () => Promise<void>): Promise<void> => {
    const startedAt = performance.now();
    await next();
    const { method, path } = context.req;
    const { status } = context.res;
    const seen = auth.seen(context.req.raw);
    const identity = typeof seen === "string" ? undefined : seen;
    const caller = callerOf(context);
    logger.info("request", {
      method,
      path: bounded(path, MAX_PATH),
      status,
      ms: Math.round(performance.now() - startedAt),
      requestId: context.res.headers.get("tillsync-request-id") ?? caller.requestId,
      ...(identity !== undefined && { tenant: identity.principal.tenant, device: identity.session.device }),
    });
    const who = { ...whoOf(identity), ...caller };
    if (status === 401 && hasToken(context)) {
      securityLog({ event: "token_refused", reason: typeof seen === "string" ? seen : "unknown", ...who });
    }
    if (status === 403 && identity !== undefined) securityLog({ event: "access_denied", ...who });
    const desk = status < 300 && method === "POST" ? deskEvent(path) : undefined;
    if (desk !== undefined) securityLog({ ...desk, ...who });
  };
}

function whoOf(identity: Identity | undefined): Partial<SecurityEvent> {
  if (identity === undefined) return {};
  const { session, user } = identity;
  return { tenant: session.tenant, user: user?.id, device: session.device };
}

function hasToken(context: Context): boolean {
  const offered = context.req.header("sec-websocket-protocol") ?? "";
  return context.req.header("authorization") !== undefined || offered.includes(LIVE_TOKEN_PREFIX);
}

/** What a person has decided at a desk. The sync handler logs what became of tills' work, and not who decided. */
function deskEvent(path: string): Pick<SecurityEvent, "event" | "target"> | undefined {
  const [desk, target, verb] = path.split("/").slice(-3);
  if (desk === "conflicts" && verb === "resolve") return { event: "conflict_resolved", target };
  if (desk === "quarantine" && verb === "release") return { event: "quarantine_released", target };
  if (desk === "quarantine" && verb === "discard") return { event: "quarantine_discarded", target };
  return undefined;
}
