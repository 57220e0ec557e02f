/** From the options of `createSyncHandler` to a server's parts. Whatever is missing or odd is said here, at construction. */
import { LIMITS, type Limits } from "../protocol/constants.ts";
import type { CheckReferences } from "../schema/checks.ts";
import { checkCollections } from "../schema/collections.ts";
import { syncOrder } from "../schema/order.ts";
import type { ResolvedCollection } from "../schema/resolved.ts";
import type { CollectionMap } from "../schema/types.ts";
import { type Clock, systemClock } from "../shared/clock.ts";
import { type Digest, systemDigest } from "../shared/digest.ts";
import { invalidOption } from "../shared/errors.ts";
import { type Logger, silentLogger } from "../shared/logger.ts";
import { systemRandom } from "../shared/random.ts";
import type { Catalog, LoosePolicy, ServedCollection } from "./decide/rows/catalog.ts";
import type { Policies, Principal } from "./policy-types.ts";
import type { PokeRelay } from "./ports/poke-relay.ts";
import type { ServerStore } from "./ports/store.ts";

/**
 * What `createSyncHandler`, `createSyncServer` and `syncRoutes` take.
 *
 * @example
 * ```ts
 * const handler = createSyncHandler({
 *   store: sqliteStore({ path: "shop.sqlite" }),
 *   authenticate: (request) => principalOfToken(request.headers.get("authorization")),
 *   collections,
 *   policies,
 * });
 * ```
 */
export interface SyncHandlerOptions<C extends CollectionMap> {
  /** Where everything is kept: `sqliteStore`, `postgresStore`, `memoryStore`, or a store of your own. */
  store: ServerStore;
  /**
   * Returns whom the request's token stands for. Called for each request, and before a WebSocket is opened.
   * `undefined` results in a 401. Throwing results in a 503; do that if the token service is unreachable. A till keeps
   * its work either way.
   */
  authenticate: (request: Request) => Principal | undefined | Promise<Principal | undefined>;
  /** The definitions that the tills use too, by name. */
  collections: C & CheckReferences<C>;
  /** One policy per collection. A collection without a policy is not served. */
  policies: Policies<NoInfer<C>>;
  /**
   * `maxBytes` raises the limit on a compressed push above the protocol's 1 MiB (1,048,576 bytes). It cannot be
   * lowered: clients check it before they commit locally. `maxOperations`, the operations of a push, can only be 500.
   * @default the protocol's limits
   */
  limits?: { maxOperations?: number | undefined; maxBytes?: number | undefined } | undefined;
  /** The scope that a token must hold to work at the desks: conflicts and quarantine. @default "sync:desk" */
  deskScope?: string | undefined;
  /**
   * Carries pokes between processes that share the store, for example `postgresPokes`. Without it, a till learns of
   * changes pushed to another process when it polls.
   * @default none
   */
  pokes?: PokeRelay | undefined;
  /**
   * `now` returns epoch ms. `sleep` schedules the expiry of live sockets; if it is left out, the platform's timer does.
   * @default the platform's clock
   */
  clock?: { now(): number; sleep?: Clock["sleep"] | undefined } | undefined;
  /**
   * `uuid` returns a UUID, best of version 7; `unit` returns a number in [0, 1).
   * @default the platform's randomness
   */
  random?: { uuid(): string; unit(): number } | undefined;
  /** Receives what operators should know. It never receives records or tokens. @default none: the server is silent */
  logger?: Logger | undefined;
}

/** What the parts of a server share: the resolved options. */
export interface ServerParts {
  /** As given. */
  readonly store: ServerStore;
  /** As given. */
  readonly authenticate: (request: Request) => Principal | undefined | Promise<Principal | undefined>;
  /** The collections with their policies. */
  readonly catalog: Catalog;
  /** The protocol's limits, with those that the options raise. */
  readonly limits: Limits;
  /** The scope of the desks. */
  readonly deskScope: string;
  /** `undefined`: this process alone. */
  readonly pokes: PokeRelay | undefined;
  /** Always with `sleep`. */
  readonly clock: Pick<Clock, "now" | "sleep">;
  /** For ids and jitter. */
  readonly random: { uuid(): string; unit(): number };
  /** Silent if none was given. */
  readonly logger: Logger;
  /** SHA-256 and HMAC of the platform. */
  readonly digest: Digest;
}

const OPTIONS = [
  "store",
  "authenticate",
  "collections",
  "policies",
  "limits",
  "deskScope",
  "pokes",
  "clock",
  "random",
  "logger",
];

/** @throws TillSyncError `invalid_option` */
export function resolveServerOptions<C extends CollectionMap>(options: SyncHandlerOptions<C>): ServerParts {
  if (!isObject(options))
    throw invalidOption(
      "options",
      "an object",
      options,
      "Write `createSyncHandler({ store, authenticate, collections, policies })`.",
    );
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw invalidOption(
      unknown,
      "left out, because there is no such option",
      "it",
      `The options are ${OPTIONS.join(", ")}.`,
    );
  }
  const { store, authenticate, deskScope = "sync:desk" } = options;
  checkStore(store);
  if (typeof authenticate !== "function") {
    throw invalidOption(
      "authenticate",
      "a function",
      authenticate,
      "Answer `{ tenant, branch, device, scopes }` of the verified token, or `undefined`.",
    );
  }
  if (typeof deskScope !== "string" || deskScope === "")
    throw invalidOption("deskScope", "a scope", deskScope, "Leave it out for `sync:desk`.");
  return {
    store,
    authenticate,
    catalog: resolveCatalog(options.collections, options.policies),
    limits: resolveLimits(options.limits),
    deskScope,
    pokes: checkPokes(options.pokes),
    clock: resolveClock(options.clock ?? systemClock),
    random: withMethods("random", options.random ?? systemRandom, ["uuid", "unit"]),
    logger: withMethods("logger", options.logger ?? silentLogger, ["error", "info", "debug"]),
    digest: systemDigest,
  };
}

export function checkStore(store: unknown): asserts store is ServerStore {
  if (isObject(store) && store["~port"] === "server-store") return;
  throw invalidOption(
    "store",
    "a ServerStore",
    store,
    'Write `store: sqliteStore({ path: "shop.sqlite" })` of "tillsync/server/sqlite".',
  );
}

function checkPokes(pokes: PokeRelay | undefined): PokeRelay | undefined {
  if (pokes === undefined || (isObject(pokes) && pokes["~port"] === "poke-relay")) return pokes;
  throw invalidOption(
    "pokes",
    "a PokeRelay",
    pokes,
    'Write `pokes: postgresPokes({ url })` of "tillsync/server/postgres".',
  );
}

/** Collections with their policies. */
export function resolveCatalog(collections: CollectionMap, policies: unknown): Catalog {
  const resolved = checkCollections(collections);
  if (!isObject(policies))
    throw invalidOption(
      "policies",
      "an object with a policy for each collection",
      policies,
      "Nothing is served without one.",
    );
  const stray = Object.keys(policies).find((name) => !Object.hasOwn(resolved, name));
  if (stray !== undefined) {
    throw invalidOption(
      `policies.${stray}`,
      "left out, because there is no such collection",
      "a policy",
      `The collections are ${Object.keys(resolved).join(", ")}.`,
    );
  }
  const served = Object.entries(resolved).map(([name, collection]): [string, ServedCollection] => [
    name,
    { name, resolved: collection, policy: checkPolicy(name, collection, policies[name]) },
  ]);
  return { collections: new Map(served), order: syncOrder(resolved) };
}

function checkPolicy(name: string, { kind }: ResolvedCollection, policy: unknown): LoosePolicy {
  const at = `policies.${name}`;
  if (!isObject(policy)) {
    throw invalidOption(
      at,
      "a policy",
      policy,
      `Write \`${name}: { scope: "tenant", allow: { read: "everyone", create: "everyone" } }\`.`,
    );
  }
  const { scope, allow } = policy;
  if (scope !== "tenant" && !(isObject(scope) && typeof scope.branch === "function")) {
    throw invalidOption(`${at}.scope`, '"tenant" or { branch: (record) => … }', scope, "Say who receives the rows.");
  }
  if (!isObject(allow))
    throw invalidOption(
      `${at}.allow`,
      "an object",
      allow,
      'Write `allow: { read: "everyone", create: "sales:write" }`.',
    );
  const rights = kind === "fact" ? ["read", "create"] : ["read", "create", "update", "delete"];
  for (const right of rights) checkRule(`${at}.allow.${right}`, allow[right]);
  for (const [right, rule] of Object.entries(allow)) {
    if (!rights.includes(right) && !(right === "force" && kind === "record")) {
      throw invalidOption(`${at}.allow.${right}`, "left out", rule, `A ${kind} has ${rights.join(", ")}.`);
    }
    if (right === "force" && rule !== undefined) checkRule(`${at}.allow.force`, rule);
  }
  for (const member of ["reads", "decide", "conflict"]) {
    const value = policy[member];
    if (value !== undefined && typeof value !== "function") {
      throw invalidOption(
        `${at}.${member}`,
        "a function",
        value,
        "It is synchronous and pure: it may run more than once.",
      );
    }
  }
  if (kind === "fact" && policy.conflict !== undefined) {
    throw invalidOption(
      `${at}.conflict`,
      "left out for a fact",
      policy.conflict,
      "A fact is never edited, so that no conflict is possible.",
    );
  }
  return policy as unknown as LoosePolicy;
}

function checkRule(option: string, rule: unknown): void {
  if (typeof rule === "string" && rule !== "") return;
  throw invalidOption(option, 'a scope of the token, "everyone" or "nobody"', rule, "What is not said is not served.");
}

function resolveLimits(limits: SyncHandlerOptions<CollectionMap>["limits"]): Limits {
  const { maxOperations = LIMITS.pushOperations, maxBytes = LIMITS.pushBytes } = limits ?? {};
  if (maxOperations !== LIMITS.pushOperations) {
    const expected = `${LIMITS.pushOperations}: version 1 of the protocol has no other`;
    throw invalidOption("limits.maxOperations", expected, maxOperations, "Leave it out.");
  }
  if (!Number.isSafeInteger(maxBytes) || maxBytes < LIMITS.pushBytes) {
    const expected = `an integer from ${LIMITS.pushBytes}, the protocol's own limit`;
    throw invalidOption("limits.maxBytes", expected, maxBytes, "Leave it out for that.");
  }
  // What may be unpacked grows with what may be packed.
  const pushInflatedBytes = Math.max(LIMITS.pushInflatedBytes, maxBytes * 8);
  return { ...LIMITS, pushOperations: maxOperations, pushBytes: maxBytes, pushInflatedBytes };
}

function resolveClock(clock: NonNullable<SyncHandlerOptions<CollectionMap>["clock"]>): ServerParts["clock"] {
  withMethods("clock", clock, clock.sleep === undefined ? ["now"] : ["now", "sleep"]);
  return {
    now: () => clock.now(),
    sleep: (ms, signal) => (clock.sleep === undefined ? systemClock.sleep(ms, signal) : clock.sleep(ms, signal)),
  };
}

function withMethods<T extends object>(option: string, value: T, methods: readonly string[]): T {
  const lacking = methods.find((method) => typeof (value as Record<string, unknown>)[method] !== "function");
  if (lacking === undefined) return value;
  throw invalidOption(option, `an object with ${methods.join(", ")}`, value, "Leave it out for the default.");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
