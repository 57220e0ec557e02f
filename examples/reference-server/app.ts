/** The whole server as one Hono app: run it (`main.ts`), mount it in another app, or copy it. */
import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import type { Logger } from "tillsync";
import { importRows, type PokeRelay, revokeDevice, type ServerStore } from "tillsync/server";
import { type SyncRoutesOptions, syncRoutes } from "tillsync/server/hono";
import type { PublicUser } from "./auth/auth-parts.ts";
import { authRoutes } from "./auth/auth-routes.ts";
import { type AuthPolicy, AuthService } from "./auth/auth-service.ts";
import type { AuthStore } from "./auth/auth-store.ts";
import type { SigningKeys } from "./auth/keys.ts";
import { ownSockets, safeHeaders } from "./headers.ts";
import { type Page, servePage } from "./page.ts";
import { policies } from "./policies.ts";
import { ProblemError, problemResponse } from "./problem.ts";
import { requestLog } from "./request-log.ts";
import { boundedLog, type Caller, type SecurityLog } from "./security-log.ts";
import { type Shop, shopCollections } from "./server-collections.ts";

export interface AppOptions extends AuthPolicy {
  /** The shop's data. */
  readonly store: ServerStore;
  /** Users, devices and sessions. */
  readonly authStore: AuthStore;
  readonly keys: SigningKeys;
  /** Origins of pages that may call the server, besides its own. @default none */
  readonly origins?: readonly string[] | undefined;
  /** Opens the live channel. @default none: tills poll */
  readonly upgradeWebSocket?: SyncRoutesOptions<Shop>["upgradeWebSocket"];
  /** Carries pokes between servers that share the store. @default none */
  readonly pokes?: PokeRelay | undefined;
  /**
   * The caller's network address, for the rate limits and the security log. Behind a proxy: the one that the proxy
   * reports. @default one for all
   */
  readonly addressOf?: ((context: Context) => string) | undefined;
  /** What browsers receive at `/`. @default none: only the API */
  readonly page?: Page | undefined;
  /** Whether browsers must use TLS for this host from now on (Strict-Transport-Security). @default false */
  readonly hsts?: boolean | undefined;
  readonly logger?: Logger | undefined;
  /** Who signed in, failed to, or changed what others may do. @default `info` of the logger */
  readonly securityLog?: SecurityLog | undefined;
  readonly now?: (() => number) | undefined;
}

export interface ShopApp {
  readonly app: Hono;
  readonly auth: AuthService;
}

const silent: Logger = { error() {}, info() {}, debug() {} };

const SENT = [
  "authorization",
  "content-type",
  "content-encoding",
  "tillsync-protocol",
  "tillsync-request-id",
  "tillsync-device",
];
const SHOWN = ["tillsync-protocol", "tillsync-request-id", "tillsync-server-time", "retry-after"];
const PREFLIGHT_SECONDS = 600;

export function createApp(options: AppOptions): ShopApp {
  const { store, authStore, origins = [], hsts = false, logger = silent, now = Date.now } = options;
  const securityLog = boundedLog(options.securityLog ?? ((event) => logger.info("security", event)));
  const addressOf = options.addressOf ?? (() => "everybody");
  const callerOf = (context: Context): Caller => ({ address: addressOf(context), requestId: requestIdOf(context) });
  const auth = new AuthService({
    ...options,
    store: authStore,
    announceUser: (user) => announceUser(store, user),
    revokeInSync: (tenant, device) => revokeDevice({ store, tenant, device }),
    securityLog,
    logger,
    now,
  });
  const sync = syncRoutes({
    store,
    collections: shopCollections,
    policies,
    authenticate: (request) => auth.authenticate(request),
    logger,
    clock: { now },
    upgradeWebSocket: options.upgradeWebSocket,
    pokes: options.pokes,
  });

  const app = new Hono();
  app.use(requestLog({ logger, securityLog, auth, callerOf }));
  app.use(safeHeaders(hsts));
  if (origins.length > 0) {
    app.use(cors({ origin: [...origins], allowHeaders: SENT, exposeHeaders: SHOWN, maxAge: PREFLIGHT_SECONDS }));
  }
  app.use("/sync/*", ownSockets(origins, securityLog, callerOf));
  app.route("/sync", sync);
  app.route("/auth", authRoutes(auth, callerOf));
  app.get("/health", (context) => sync.fetch(new Request(new URL("/sync/health", context.req.url), context.req.raw)));
  if (options.page !== undefined) app.use(servePage(options.page));
  app.get("/", (context) => context.json(WELCOME));
  app.notFound((context) => answer(context, new ProblemError("not_found", "There is no such endpoint")));
  app.onError((error, context) => {
    if (error instanceof ProblemError) return answer(context, error);
    // No part of an unexpected error leaves the server: it may contain a customer's data, or a path.
    logger.error("A request failed", { requestId: requestIdOf(context), cause: error.stack ?? String(error) });
    return answer(
      context,
      new ProblemError("internal", "The server failed; its log says why, under this request's id"),
    );
  });
  return { app, auth };
}

const WELCOME = {
  name: "tillsync reference server",
  status: "ok",
  try: {
    "GET /health": "whether the server is up, and the limits of the protocol",
    "POST /auth/login": "{ email, password, device: { id, name, secret } } returns a token for a till",
    "POST /sync/register": "a till's first contact; then /sync/push, /sync/pull and the socket /sync/live",
  },
  documentation: "docs/protocol.md, examples/reference-server/README.md",
} as const;

function answer(context: Context, problem: ProblemError): Response {
  return problemResponse(problem, requestIdOf(context));
}

/** The same one for all that is logged about a request. */
const requestIds = new WeakMap<Request, string>();

function requestIdOf(context: Context): string {
  const given = context.req.header("tillsync-request-id") ?? "";
  const known = requestIds.get(context.req.raw);
  const id = known ?? (/^[A-Za-z0-9_-]{1,64}$/.test(given) ? given : randomUUID());
  requestIds.set(context.req.raw, id);
  return id;
}

/** Publishes a user to the tills, which show who sold. */
async function announceUser(store: ServerStore, user: PublicUser): Promise<void> {
  const { id, tenant, name, roles, branch, isActive } = user;
  const row = { id, name, roles, active: isActive, ...(branch !== undefined && { branchId: branch }) };
  await importRows({
    store,
    collections: shopCollections,
    tenant,
    collection: "users",
    rows: [row],
    branch: ({ branchId }) => branchId,
    actor: "auth",
  });
}
