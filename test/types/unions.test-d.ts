/**
 * A `switch` over each public union that a literal tells apart, without a `default`: a member that is new, or gone, does not
 * compile. Apps write such switches, so each is a promise; the changelog must name what is added.
 */
import {
  type Change,
  type ConflictOf,
  type ConnectivityHint,
  createSyncClient,
  defineCollection,
  http,
  type Operation,
  type OperationStatus,
  type RecordSync,
  type Settlement,
  type StorageRead,
  type StorageWrite,
  type SyncEvents,
  type SyncOutcome,
  type SyncPhase,
  type TransportFailure,
  type TransportResult,
} from "tillsync";
import type { Action, OperationResult, WireOperation } from "tillsync/protocol";
import type { Applied, PolicyOperation, Quarantined, Rejected, StoreRead } from "tillsync/server";
import { memory } from "tillsync/storage/memory";
import * as z from "zod";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const yes = <T extends true>(): T | undefined => undefined;

const products = defineCollection({
  schema: z.object({ name: z.string(), stock: z.int().default(0) }),
  counters: ["stock"],
});
const sales = defineCollection({ kind: "fact", schema: z.object({ totalCents: z.int() }) });
const collections = { products, sales };
type Shop = typeof collections;
type Product = (typeof products)["~shape"];

/** Every member of the union is named, and no other: the keys of the table are the literals. */
function table<T extends string>(_names: { readonly [K in T]: true }): void {}

// What an app sees.
table<Change<Product>["action"]>({ create: true, update: true, increment: true, delete: true, void: true });
table<Operation<Shop>["collection"]>({ products: true, sales: true });
table<OperationStatus["state"]>({
  ...{ pending: true, in_flight: true, applied: true, blocked: true, superseded: true },
  ...{ conflict: true, rejected: true, quarantined: true },
});
table<RecordSync>({ synced: true, pending: true, blocked: true, conflict: true, rejected: true, quarantined: true });
table<Settlement<Product>["state"]>({
  ...{ applied: true, deleted: true, conflict: true, quarantined: true, rejected: true },
});
table<NonNullable<ConflictOf<Product, "products">["settled"]>["by"]>({ resolver: true, person: true, server: true });
table<NonNullable<ConflictOf<Product, "products">["settled"]>["kept"]>({ client: true, server: true, merged: true });
table<SyncPhase["phase"]>({
  ...{ stopped: true, opening: true, first_sync: true, online: true, offline: true, paused: true },
  ...{ action_needed: true, failed: true, closed: true },
});
table<Extract<SyncPhase, { phase: "online" }>["activity"]>({ idle: true, pushing: true, pulling: true });
table<Extract<SyncPhase, { phase: "offline" }>["cause"]>({
  ...{ no_network: true, unreachable: true, server_error: true, throttled: true, device_error: true },
});
table<Extract<SyncPhase, { phase: "action_needed" }>["cause"]>({
  ...{ auth_required: true, device_revoked: true, wrong_workspace: true },
  ...{ protocol_unsupported: true, upgrade_needed: true },
});
table<SyncEvents["auth_required"]["cause"]>({ no_token: true, refused: true });
table<SyncEvents["storage_at_risk"]["cause"]>({ eviction: true, full: true });

// What an adapter sees.
table<ConnectivityHint>({ online: true, offline: true, visible: true, frozen: true, resumed: true });
table<StorageRead["kind"]>({ get: true, scan: true, count: true });
table<StorageWrite["kind"]>({ put: true, delete: true });
table<TransportFailure["kind"]>({
  ...{ unreachable: true, unauthorised: true, throttled: true, server_error: true, refused: true, aborted: true },
});

// What a server sees.
table<PolicyOperation<Product>["action"]>({ create: true, update: true, delete: true, increment: true });
table<(Applied<Shop, "sales"> | Rejected | Quarantined)["outcome"]>({
  ...{ applied: true, rejected: true, quarantined: true },
});
table<StoreRead["kind"]>({
  ...{ clock: true, epochs: true, records: true, operations: true, sequences: true, members: true, commits: true },
  ...{
    devices: true,
    incarnations: true,
    changes: true,
    countChanges: true,
    results: true,
    quarantined: true,
    held: true,
  },
  ...{ conflicts: true, conflictsOf: true, conflictList: true, discrepancies: true },
});

// The wire.
table<Action>({ create: true, update: true, increment: true, delete: true, void: true });
table<OperationResult["status"]>({
  ...{ applied: true, conflict: true, rejected: true, quarantined: true, blocked: true, retry: true },
});

/** In each case of a `switch` the member's own fields are there, and after the last case nothing is left. */
export function narrowed(
  change: Change<Product>,
  wire: WireOperation,
  phase: SyncPhase,
  outcome: SyncOutcome,
  settlement: Settlement<Product>,
  result: TransportResult<number>,
): unknown[] {
  switch (change.action) {
    case "create":
      return [change.data.name];
    case "update":
      return [change.patch.name, change.baseVersion];
    case "increment":
      return [change.by.stock];
    case "delete":
      return [change.baseVersion];
    case "void":
      break;
    default:
      change satisfies never;
  }
  switch (wire.action) {
    case "create":
      return [wire.data];
    case "update":
      return [wire.patch, wire.baseVersion];
    case "increment":
      return [wire.by];
    case "delete":
      return [wire.baseVersion];
    case "void":
      break;
    default:
      wire satisfies never;
  }
  if (phase.phase === "first_sync") return [phase.progress];
  if (phase.phase === "failed") return [phase.error.code];
  if (outcome.outcome === "done") return [outcome.pushed];
  switch (settlement.state) {
    case "applied":
      return [settlement.record.name];
    case "conflict":
      return [settlement.conflictId];
    case "quarantined":
    case "rejected":
      return [settlement.reason.code];
    case "deleted":
      break;
    default:
      settlement satisfies never;
  }
  return result.ok ? [result.value] : [result.failure.kind];
}

/** The names that `on` accepts are written out, so that the compiler lists them where one is wrong. */
export function eventNames(): void {
  const till = createSyncClient({
    name: "shop",
    storage: memory(),
    transport: http({ url: "https://shop.example/sync", getToken: () => undefined }),
    collections,
  });
  yes<Equal<Parameters<typeof till.on>[0], keyof SyncEvents<Shop>>>();
}
