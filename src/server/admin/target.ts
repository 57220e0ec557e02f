/** What the tools share: the checks of their target, and its epoch. */
import { isId } from "../../protocol/values.ts";
import { checkCollections } from "../../schema/collections.ts";
import type { CollectionMap } from "../../schema/types.ts";
import { systemClock } from "../../shared/clock.ts";
import { systemDigest } from "../../shared/digest.ts";
import { invalidOption } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/json.ts";
import { type Logger, silentLogger } from "../../shared/logger.ts";
import { systemRandom } from "../../shared/random.ts";
import type { LoosePolicy, ServedCollection } from "../decide/rows/catalog.ts";
import { checkStore } from "../options.ts";
import type { TenantClock } from "../ports/rows.ts";
import { ask, type ServerStore } from "../ports/store.ts";
import { beginEpoch, type MintReason } from "../service/begin-epoch.ts";
import { Seal } from "../tokens/seal.ts";
import { Tokens } from "../tokens/tokens.ts";

/** The platform of a tool. Each of them defaults to the system's, the logger to a silent one. */
export interface AdminPorts {
  /** Epoch ms. @default the system's clock */
  readonly clock?: { now(): number } | undefined;
  /** @default the system's randomness */
  readonly random?: { uuid(): string; unit(): number } | undefined;
  /** @default silent */
  readonly logger?: Logger | undefined;
}

export type LooseBranch = (record: JsonObject) => unknown;

/** The collection with a policy that allows nothing to tills: tools ask no policy. */
export function servedOf(collections: CollectionMap, name: string, branch?: LooseBranch | undefined): ServedCollection {
  const resolved = checkCollections(collections);
  const collection = Object.hasOwn(resolved, name) ? resolved[name] : undefined;
  if (collection === undefined) {
    const expected = `one of ${Object.keys(resolved).join(", ")}`;
    throw invalidOption("collection", expected, name, "Name one of the given collections.");
  }
  const scope: LoosePolicy["scope"] = branch === undefined ? "tenant" : { branch };
  return { name, resolved: collection, policy: { scope, allow: {} } };
}

/** @throws TillSyncError `invalid_option` */
export function checkTarget(store: unknown, tenant: unknown): void {
  checkStore(store);
  if (!isId(tenant)) throw invalidOption("tenant", "a tenant's id", tenant, "It is 1 to 64 of A-Z a-z 0-9 _ -.");
}

export function readClock(store: ServerStore, tenant: string): Promise<TenantClock | undefined> {
  return store.read(tenant, function* script() {
    return yield* ask({ kind: "clock" });
  });
}

/** @returns the epoch in force afterwards */
export function mint(store: ServerStore, tenant: string, ports: AdminPorts, reason: MintReason): Promise<string> {
  const { clock = systemClock, random = systemRandom, logger = silentLogger } = ports;
  const tokens = new Tokens(new Seal(store, systemDigest), logger);
  return beginEpoch({ store, clock, random, logger }, tokens, tenant, reason);
}
