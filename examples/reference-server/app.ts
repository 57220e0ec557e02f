/** The whole server as one Hono app: run it (`main.ts`), mount it in another app, or copy it. */
import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import type { Logger } from "tillsync";
import { importRows, type PokeRelay, revokeDevice, type ServerStore } from "tillsync/server";
import { type SyncRoutesOptions, syncRoutes } from "tillsync/server/hono";
import { authRoutes } from "./auth/auth-routes.ts";
import { type AuthLimits, AuthService, type PublicUser } from "./auth/auth-service.ts";
import type { AuthStore } from "./auth/auth-store.ts";
import type { SigningKeys } from "./auth/keys.ts";
import { Tokens } from "./auth/tokens.ts";
import { type Page, servePage } from "./page.ts";
import { policies } from "./policies.ts";
import { ProblemError, problemResponse } from "./problem.ts";
import { type Shop, shopCollections } from "./server-collections.ts";

export interface AppOptions {
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
   * The caller's network address, for the rate limits. Behind a proxy: the one that the proxy reports. @default one
   * for all
   */
  readonly addressOf?: ((context: Context) => string) | undefined;
  /** What browsers receive at `/`. @default none: only the API */
  readonly page?: Page | undefined;
  readonly logger?: Logger | undefined;
  readonly now?: (() => number) | undefined;
  readonly limits?: Partial<AuthLimits> | undefined;
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
  const { store, authStore, keys, origins = [], logger = silent, now = Date.now } = options;
  const auth = new AuthService({
    store: authStore,
    tokens: new Tokens(keys, now),
    announceUser: (user) => announceUser(store, user),
    revokeInSync: (tenant, device) => revokeDevice({ store, tenant, device }),
    logger,
    now,
    limits: options.limits,
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
  app.use(requestLog(logger));
  if (origins.length > 0) {
    app.use(cors({ origin: [...origins], allowHeaders: SENT, exposeHeaders: SHOWN, maxAge: PREFLIGHT_SECONDS }));
  }
  app.route("/sync", sync);
  app.route("/auth", authRoutes(auth, options.addressOf ?? (() => "everybody")));
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
    "POST /auth/login": "{ email, password, device: { id, name } } returns a token for a till",
    "POST /sync/register": "a till's first contact; then /sync/push, /sync/pull and the socket /sync/live",
  },
  documentation: "docs/protocol.md, examples/reference-server/README.md",
} as const;

function answer(context: Context, problem: ProblemError): Response {
  return problemResponse(problem, requestIdOf(context));
}

function requestIdOf(context: Context): string {
  const given = context.req.header("tillsync-request-id") ?? "";
  return /^[A-Za-z0-9_-]{1,64}$/.test(given) ? given : randomUUID();
}

/** Logs method, path and status; no query, no body, no token. */
function requestLog(logger: Logger) {
  return async (context: Context, next: () => Promise<void>) => {
    const startedAt = performance.now();
    await next();
    logger.info("request", {
      method: context.req.method,
      path: context.req.path,
      status: context.res.status,
      ms: Math.round(performance.now() - startedAt),
      requestId: context.res.headers.get("tillsync-request-id") ?? undefined,
      device: context.req.header("tillsync-device"),
    });
  };
}

/** Publishes a user to the tills, which show who sold. */
async function announceUser(store: ServerStore, { id, tenant, name, roles, branch }: PublicUser): Promise<void> {
  const row = { id, name, roles, active: true, ...(branch !== undefined && { branchId: branch }) };
  await importRows({
    store,
    collections: shopCollections,
    tenant,
    collection: "users",
    rows: [row],
    branch: (user) => user.branchId,
    actor: "auth",
  });
}
