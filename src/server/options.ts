/**
 * Turns the options of `createSyncHandler` into the parts of a server. Missing or odd options are reported here, at
 * construction.
 */
import { LIMITS, type Limits } from "../protocol/constants.ts";
import type { CheckReferences } from "../schema/checks.ts";
import { checkCollections } from "../schema/collections.ts";
import { syncOrder } from "../schema/order.ts";
import type { ResolvedCollection } from "../schema/resolved.ts";
import type { CollectionMap } from "../schema/types.ts";
import { type Clock, systemClock } from "../shared/clock.ts";
import { type Digest, systemDigest } from "../shared/digest.ts";
import { expectOption, invalidOption } from "../shared/errors.ts";
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
   * Returns whom the request's token stands for. Called for each request, before a WebSocket is opened, and before that
   * WebSocket is poked, with the request that opened it.
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

/** Every option, once. The type refuses one that is missing here, or that does not exist. */
const OPTIONS: Readonly<Record<keyof SyncHandlerOptions<CollectionMap>, true>> = {
  store: true,
  authenticate: true,
  collections: true,
  policies: true,
  limits: true,
  deskScope: true,
  pokes: true,
  clock: true,
  random: true,
  logger: true,
};

/** @throws TillSyncError `invalid_option` */
export function resolveServerOptions<C extends CollectionMap>(options: SyncHandlerOptions<C>): ServerParts {
  const optionsHint = "Write `createSyncHandler({ store, authenticate, collections, policies })`.";
  expectOption(isObject(options), "options", "an object", options, optionsHint);
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown !== undefined) {
    const known = `The options are ${Object.keys(OPTIONS).join(", ")}.`;
    throw invalidOption(unknown, "left out, because there is no such option", "it", known);
  }
  const { store, authenticate, deskScope = "sync:desk" } = options;
  checkStore(store);
  const principalHint = "Return `{ tenant, branch, device, scopes }` of the verified token, or `undefined`.";
  expectOption(typeof authenticate === "function", "authenticate", "a function", authenticate, principalHint);
  const isScope = typeof deskScope === "string" && deskScope !== "";
  expectOption(isScope, "deskScope", "a scope", deskScope, "Leave it out for `sync:desk`.");
  return {
    store,
    authenticate,
    catalog: resolveCatalog(options.collections, options.policies, deskScope),
    limits: resolveLimits(options.limits),
    pokes: checkPokes(options.pokes),
    clock: resolveClock(options.clock ?? systemClock),
    random: withMethods("random", options.random ?? systemRandom, ["uuid", "unit"]),
    logger: withMethods("logger", options.logger ?? silentLogger, ["error", "info", "debug"]),
    digest: systemDigest,
  };
}

export function checkStore(store: unknown): asserts store is ServerStore {
  const hint = 'Write `store: sqliteStore({ path: "shop.sqlite" })` of "tillsync/server/sqlite".';
  expectOption(isObject(store) && store["~port"] === "server-store", "store", "a ServerStore", store, hint);
}

function checkPokes(pokes: PokeRelay | undefined): PokeRelay | undefined {
  const isRelay = pokes === undefined || (isObject(pokes) && pokes["~port"] === "poke-relay");
  const hint = 'Write `pokes: postgresPokes({ url })` of "tillsync/server/postgres".';
  expectOption(isRelay, "pokes", "a PokeRelay", pokes, hint);
  return pokes;
}

/** The collections with their policies. */
export function resolveCatalog(collections: CollectionMap, policies: unknown, deskScope = "sync:desk"): Catalog {
  const resolved = checkCollections(collections);
  const policiesHint = "A collection without a policy is not served.";
  const expected = "an object with a policy for each collection";
  expectOption(isObject(policies), "policies", expected, policies, policiesHint);
  const stray = Object.keys(policies).find((name) => !Object.hasOwn(resolved, name));
  if (stray !== undefined) {
    const known = `The collections are ${Object.keys(resolved).join(", ")}.`;
    throw invalidOption(`policies.${stray}`, "left out, because there is no such collection", "a policy", known);
  }
  const served = Object.entries(resolved).map(([name, collection]): [string, ServedCollection] => [
    name,
    { name, resolved: collection, policy: checkPolicy(name, collection, policies[name]) },
  ]);
  return { collections: new Map(served), order: syncOrder(resolved), deskScope };
}

/** Rights that a policy may leave out. */
const OPTIONAL_RIGHTS: Readonly<Record<string, (collection: ResolvedCollection) => boolean>> = {
  force: ({ kind }) => kind === "record",
  increment: ({ counters }) => counters.length > 0,
};

function checkPolicy(name: string, collection: ResolvedCollection, policy: unknown): LoosePolicy {
  const { kind } = collection;
  const at = `policies.${name}`;
  const policyHint = `Write \`${name}: { scope: "tenant", allow: { read: "everyone", create: "everyone" } }\`.`;
  expectOption(isObject(policy), at, "a policy", policy, policyHint);
  const { scope, allow } = policy;
  const isScope = scope === "tenant" || (isObject(scope) && isSynchronous(scope.branch));
  const scopes = '"tenant" or { branch: (record) => … }';
  expectOption(isScope, `${at}.scope`, scopes, scope, "It says which tills receive the rows.");
  const allowHint = 'Write `allow: { read: "everyone", create: "sales:write" }`.';
  expectOption(isObject(allow), `${at}.allow`, "an object", allow, allowHint);
  const rights = kind === "fact" ? ["read", "create"] : ["read", "create", "update", "delete"];
  for (const right of rights) checkRule(`${at}.allow.${right}`, allow[right]);
  for (const [right, rule] of Object.entries(allow)) {
    const isOptional = Object.hasOwn(OPTIONAL_RIGHTS, right) && OPTIONAL_RIGHTS[right]?.(collection) === true;
    const isRight = rights.includes(right) || isOptional;
    expectOption(isRight, `${at}.allow.${right}`, "left out", rule, `A ${kind} has ${rights.join(", ")}.`);
    if (isOptional && rule !== undefined) checkRule(`${at}.allow.${right}`, rule);
  }
  for (const member of ["reads", "decide", "conflict"]) {
    const value = policy[member];
    const pureHint = "It is synchronous and pure: it may run more than once.";
    const isRight = value === undefined || isSynchronous(value);
    expectOption(isRight, `${at}.${member}`, "a function that is not async", value, pureHint);
  }
  const mayConflict = kind === "record" || policy.conflict === undefined;
  const factHint = "A fact is never edited, so no conflict is possible.";
  expectOption(mayConflict, `${at}.conflict`, "left out for a fact", policy.conflict, factHint);
  return policy as unknown as LoosePolicy;
}

/** An `async` function is refused here. Otherwise every operation would wait for good, with a line in the log for each. */
function isSynchronous(value: unknown): boolean {
  return typeof value === "function" && Object.prototype.toString.call(value) !== "[object AsyncFunction]";
}

function checkRule(option: string, rule: unknown): void {
  const isRule = typeof rule === "string" && rule !== "";
  const hint = "Without a rule, nobody may do it.";
  expectOption(isRule, option, 'a scope of the token, "everyone" or "nobody"', rule, hint);
}

function resolveLimits(limits: SyncHandlerOptions<CollectionMap>["limits"]): Limits {
  const { maxOperations = LIMITS.pushOperations, maxBytes = LIMITS.pushBytes } = limits ?? {};
  const isProtocols = maxOperations === LIMITS.pushOperations;
  const only = `${LIMITS.pushOperations}, the only value in version 1 of the protocol`;
  expectOption(isProtocols, "limits.maxOperations", only, maxOperations, "Leave it out.");
  const isEnough = Number.isSafeInteger(maxBytes) && maxBytes >= LIMITS.pushBytes;
  const least = `an integer of at least ${LIMITS.pushBytes}, the protocol's own limit`;
  expectOption(isEnough, "limits.maxBytes", least, maxBytes, "Leave it out for the protocol's limit.");
  // The limit after inflating grows with the limit before it.
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
  const hasAll = methods.every((method) => typeof (value as Record<string, unknown>)[method] === "function");
  expectOption(hasAll, option, `an object with ${methods.join(", ")}`, value, "Leave it out for the default.");
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
