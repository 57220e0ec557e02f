/** The options of a client, checked, with every default filled in. (client) */
import { LIMITS } from "../protocol/constants.ts";
import type { ResolvedCollections } from "../schema/collections.ts";
import { checkCollections } from "../schema/collections.ts";
import type { CollectionMap } from "../schema/types.ts";
import type { Clock } from "../shared/clock.ts";
import { systemClock } from "../shared/clock.ts";
import { invalidOption } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import { silentLogger } from "../shared/logger.ts";
import type { Random } from "../shared/random.ts";
import { systemRandom } from "../shared/random.ts";
import type { BatchLimits } from "./decide/selection.ts";
import { inProcess } from "./in-process.ts";
import { platformConnectivity } from "./platform.ts";
import type { Connectivity } from "./ports/connectivity.ts";
import type { Coordinator } from "./ports/coordinator.ts";
import type { StorageAdapter } from "./ports/storage.ts";
import type { Transport } from "./ports/transport.ts";
import type { MachineOptions } from "./sync/machine.ts";
import type { SyncClientOptions } from "./types/client.ts";

export interface ResolvedOptions {
  readonly name: string;
  readonly storage: StorageAdapter;
  readonly transport: Transport;
  readonly collections: ResolvedCollections;
  readonly device: {
    readonly id?: string | undefined;
    readonly name?: string | undefined;
    readonly appVersion?: string | undefined;
  };
  readonly actor: () => string | undefined;
  readonly auto: boolean;
  readonly machine: MachineOptions;
  readonly batch: BatchLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly coordinator: Coordinator;
  readonly connectivity: Connectivity;
}

const KNOWN = [
  "name",
  "storage",
  "transport",
  "collections",
  "device",
  "actor",
  "sync",
  "clock",
  "random",
  "logger",
  "coordinator",
  "connectivity",
];

/** @throws TillSyncError `invalid_option`, with what was expected, what came and what to write */
export function resolveOptions<C extends CollectionMap>(options: SyncClientOptions<C>): ResolvedOptions {
  if (typeof options !== "object" || options === null)
    throw invalidOption(
      "options",
      "an object",
      options,
      'Write createSyncClient({ name: "my-shop", transport, collections }).',
    );
  for (const key of Object.keys(options)) {
    if (!KNOWN.includes(key))
      throw invalidOption(key, `one of ${KNOWN.join(", ")}`, key, "Remove it, or correct its spelling.");
  }
  const { name, storage, transport, device = {}, actor = () => undefined, sync = {} } = options;
  if (typeof name !== "string" || !/^[\w.-]{1,64}$/.test(name)) {
    throw invalidOption(
      "name",
      "1 to 64 letters, digits, dots, dashes or underscores",
      name,
      'It names the local database, one per shop: name: "nairobi-westlands".',
    );
  }
  if (storage?.["~port"] !== "storage")
    throw invalidOption(
      "storage",
      "a storage adapter",
      storage,
      'Write storage: indexedDB() from "tillsync/storage/indexeddb".',
    );
  if (transport?.["~port"] !== "transport")
    throw invalidOption(
      "transport",
      "a transport",
      transport,
      'Write transport: http({ url: "https://shop.example/sync", getToken }).',
    );
  if (typeof actor !== "function")
    throw invalidOption("actor", "a function", actor, "Write actor: () => session.cashierId.");
  if (device.id !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(device.id)) {
    throw invalidOption(
      "device.id",
      "1 to 64 of A-Z, a-z, 0-9, _ and -",
      device.id,
      "Leave it out to have one minted with the store.",
    );
  }
  const minMs = bounded("sync.retry.minMs", sync.retry?.minMs, 1_000, 10, 3_600_000);
  return {
    name,
    storage,
    transport,
    collections: checkCollections(options.collections),
    device,
    actor,
    auto: sync.auto ?? true,
    machine: {
      intervalMs: bounded("sync.intervalMs", sync.intervalMs, 30_000, 1_000, 60_000),
      minMs,
      maxMs: bounded("sync.retry.maxMs", sync.retry?.maxMs, Math.max(60_000, minMs), minMs, 3_600_000),
    },
    batch: {
      maxOperations: bounded("sync.batch.maxOperations", sync.batch?.maxOperations, 200, 1, LIMITS.pushOperations),
      maxBytes: bounded("sync.batch.maxBytes", sync.batch?.maxBytes, 512 * 1024, 1_024, LIMITS.pushBytes),
    },
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    logger: options.logger ?? silentLogger,
    coordinator: options.coordinator ?? inProcess,
    connectivity: options.connectivity ?? platformConnectivity,
  };
}

function bounded(option: string, value: number | undefined, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback;
  if (!Number.isFinite(value) || value < min || value > max)
    throw invalidOption(option, `a number from ${min} to ${max}`, value, `Leave it out for ${fallback}.`);
  return value;
}
