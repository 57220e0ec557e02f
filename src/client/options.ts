/** The options of a client, checked, with every default filled in. */
import { LIMITS } from "../protocol/constants.ts";
import { isId } from "../protocol/values.ts";
import { checkCollections, type ResolvedCollections } from "../schema/collections.ts";
import type { CollectionMap } from "../schema/types.ts";
import { type Clock, systemClock } from "../shared/clock.ts";
import { expectOption } from "../shared/errors.ts";
import { type Logger, silentLogger } from "../shared/logger.ts";
import { type Random, systemRandom } from "../shared/random.ts";
import type { BatchLimits } from "./decide/selection.ts";
import type { MachineOptions } from "./decide/sync-machine.ts";
import { platformConnectivity } from "./platform/connectivity.ts";
import { platformCoordinator } from "./platform/coordinator.ts";
import type { Connectivity } from "./ports/connectivity.ts";
import type { Coordinator } from "./ports/coordinator.ts";
import type { StorageAdapter } from "./ports/storage.ts";
import type { Transport } from "./ports/transport.ts";
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

/** What each port that an app may bring must be able to do, in words and in methods. */
const PORTS = {
  clock: ["a clock", "now", "monotonic", "sleep"],
  random: ["a random source", "uuid", "unit"],
  logger: ["a logger", "error", "info", "debug"],
  coordinator: ["a coordinator", "exclusive", "broadcast", "subscribe"],
  connectivity: ["a source of connectivity hints", "online", "subscribe"],
} as const;

/** @throws TillSyncError `invalid_option`, with what was expected, what came and what to write */
export function resolveOptions<C extends CollectionMap>(options: SyncClientOptions<C>): ResolvedOptions {
  const given = members("options", options, KNOWN);
  const { name, storage, transport, actor = () => undefined } = options;
  expectOption(
    typeof name === "string" && /^[\w.-]{1,64}$/.test(name),
    "name",
    "1 to 64 letters, digits, dots, dashes or underscores",
    name,
    'It names the local database, one per shop: name: "nairobi-westlands".',
  );
  const port = (value: { readonly "~port"?: string } | undefined, kind: string) => value?.["~port"] === kind;
  const storageHint = 'Write storage: indexedDB() from "tillsync/storage/indexeddb".';
  expectOption(port(storage, "storage"), "storage", "a storage adapter", storage, storageHint);
  const transportHint = 'Write transport: http({ url: "https://shop.example/sync", getToken }).';
  expectOption(port(transport, "transport"), "transport", "a transport", transport, transportHint);
  expectOption(typeof actor === "function", "actor", "a function", actor, "Write actor: () => session.cashierId.");
  for (const [option, [what, ...methods]] of Object.entries(PORTS)) {
    const value = given[option] as Record<string, unknown> | undefined;
    const fits = value === undefined || methods.every((method) => typeof value?.[method] === "function");
    expectOption(fits, option, what, value, `It needs ${methods.join(", ")}; leave it out for the default.`);
  }
  const { auto = true, ...sync } = members("sync", options.sync, ["auto", "intervalMs", "batch", "retry"]);
  expectOption(typeof auto === "boolean", "sync.auto", "true or false", auto, "Leave it out to sync by itself.");
  const batch = members("sync.batch", sync.batch, ["maxOperations", "maxBytes"]);
  const retry = members("sync.retry", sync.retry, ["minMs", "maxMs"]);
  const { clock = systemClock, random = systemRandom } = options;
  const minMs = bounded("sync.retry.minMs", retry.minMs, 1_000, 10, 3_600_000);
  return {
    name,
    storage: storage as StorageAdapter,
    transport,
    collections: checkCollections(options.collections),
    device: device(options.device),
    actor,
    auto,
    machine: {
      intervalMs: bounded("sync.intervalMs", sync.intervalMs, 30_000, 1_000, 60_000),
      minMs,
      maxMs: bounded("sync.retry.maxMs", retry.maxMs, Math.max(60_000, minMs), minMs, 3_600_000),
    },
    batch: {
      maxOperations: bounded("sync.batch.maxOperations", batch.maxOperations, 200, 1, LIMITS.pushOperations),
      maxBytes: bounded("sync.batch.maxBytes", batch.maxBytes, 512 * 1024, 1_024, LIMITS.pushBytes),
    },
    clock,
    random,
    logger: options.logger ?? silentLogger,
    coordinator: options.coordinator ?? platformCoordinator(clock, random),
    connectivity: options.connectivity ?? platformConnectivity,
  };
}

/** The server refuses a registration whose device it can't take: better said here than by every contact with it. */
function device(given: unknown): ResolvedOptions["device"] {
  const device = members("device", given, ["id", "name", "appVersion"]);
  expectOption(
    device.id === undefined || isId(device.id),
    "device.id",
    "1 to 64 of A-Z, a-z, 0-9, _ and -",
    device.id,
    "Leave it out to have one minted with the store.",
  );
  for (const name of ["name", "appVersion"]) {
    const value = device[name];
    const fits = value === undefined || (typeof value === "string" && value.length > 0 && value.length <= MAX_LABEL);
    expectOption(fits, `device.${name}`, `a string of 1 to ${MAX_LABEL} characters`, value, "Leave it out for none.");
  }
  return device;
}
const MAX_LABEL = 128;

/** An object with these members and no others: a misspelt option must not be a default in silence. */
function members(option: string, given: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  const value = given === undefined && option !== "options" ? {} : given;
  const isObject = typeof value === "object" && value !== null;
  expectOption(isObject, option, "an object", given, `It takes ${known.join(", ")}.`);
  for (const key of Object.keys(value)) {
    const path = option === "options" ? key : `${option}.${key}`;
    expectOption(known.includes(key), path, `one of ${known.join(", ")}`, key, "Remove it, or correct its spelling.");
  }
  return value as Readonly<Record<string, unknown>>;
}

function bounded(option: string, value: unknown, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback;
  const fits = Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
  expectOption(fits, option, `a whole number from ${min} to ${max}`, value, `Leave it out for ${fallback}.`);
  return value as number;
}
