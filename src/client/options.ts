/** The options of a client, checked, with every default filled in. */
import { LIMITS } from "../protocol/constants.ts";
import { isId, isText } from "../protocol/values.ts";
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
import type { SyncClientOptions, SyncOptions } from "./types/client.ts";

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

/** The names of the options of `O`. The compiler refuses a list that lacks one, or has one too many. */
type NamesOf<O> = Readonly<Record<keyof O, true>>;
type Given = SyncClientOptions<CollectionMap>;

const OPTIONS: NamesOf<Given> = {
  name: true,
  storage: true,
  transport: true,
  collections: true,
  device: true,
  actor: true,
  sync: true,
  clock: true,
  random: true,
  logger: true,
  coordinator: true,
  connectivity: true,
};
const SYNC: NamesOf<SyncOptions> = { auto: true, intervalMs: true, batch: true, retry: true };
const BATCH: NamesOf<NonNullable<SyncOptions["batch"]>> = { maxOperations: true, maxBytes: true };
const RETRY: NamesOf<NonNullable<SyncOptions["retry"]>> = { minMs: true, maxMs: true };
const DEVICE: NamesOf<NonNullable<Given["device"]>> = { id: true, name: true, appVersion: true };

/** The ports that an app may pass: what each is called in an error, and the methods that it must have. */
const PORTS = {
  clock: ["a clock", "now", "monotonic", "sleep"],
  random: ["a random source", "uuid", "unit"],
  logger: ["a logger", "error", "info", "debug"],
  coordinator: ["a coordinator", "exclusive", "broadcast", "subscribe"],
  connectivity: ["a source of connectivity hints", "online", "subscribe"],
} as const;

/** @throws TillSyncError `invalid_option`: what was expected, what was passed, and what to write instead */
export function resolveOptions<C extends CollectionMap>(options: SyncClientOptions<C>): ResolvedOptions {
  const given = members("options", options, OPTIONS);
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
  const { auto = true, ...sync } = members("sync", options.sync, SYNC);
  expectOption(typeof auto === "boolean", "sync.auto", "true or false", auto, "Leave it out to sync automatically.");
  const batch = members("sync.batch", sync.batch, BATCH);
  const retry = members("sync.retry", sync.retry, RETRY);
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

/** The server refuses to register a device that breaks these rules, so they are checked before the first contact. */
function device(given: unknown): ResolvedOptions["device"] {
  const device = members("device", given, DEVICE);
  expectOption(
    device.id === undefined || isId(device.id),
    "device.id",
    "1 to 64 of A-Z, a-z, 0-9, _ and -",
    device.id,
    "Leave it out to have one created with the store.",
  );
  for (const name of ["name", "appVersion"]) {
    const value = device[name];
    const fits = value === undefined || isText(value, MAX_LABEL);
    expectOption(fits, `device.${name}`, `a string of 1 to ${MAX_LABEL} characters`, value, "Leave it out for none.");
  }
  return device;
}
const MAX_LABEL = 128;

/** An object with these members and no others: a misspelt option must not silently become its default. */
function members(option: string, given: unknown, names: NamesOf<object>): Readonly<Record<string, unknown>> {
  const known = Object.keys(names);
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
