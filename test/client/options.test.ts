/**
 * The options of a client: each mistake fails at construction, with what was expected, what was received, and what to
 * write instead.
 */
import { createSyncClient, defineCollection, isTillSyncError } from "tillsync";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { memory } from "../../src/storage/memory/memory.ts";
import { collections } from "../support/shop.ts";
import { ClientWorld } from "./support/world.ts";

const world = new ClientWorld();
const right = { name: "nairobi", storage: memory(), transport: world.transport(), collections };

function refusal(options: unknown) {
  try {
    createSyncClient(options as never);
  } catch (error) {
    if (isTillSyncError(error, "invalid_option")) return { ...error.details, message: error.message };
    throw error;
  }
  throw new Error("it was taken");
}

const wrong: readonly (readonly [string, unknown, string, string, string])[] = [
  [
    "a name with a slash",
    { ...right, name: "a/b" },
    "name",
    "1 to 64 letters, digits, dots, dashes or underscores",
    '"a/b"',
  ],
  [
    "no name",
    { ...right, name: undefined },
    "name",
    "1 to 64 letters, digits, dots, dashes or underscores",
    "undefined",
  ],
  ["an empty name", { ...right, name: "" }, "name", "1 to 64 letters, digits, dots, dashes or underscores", '""'],
  [
    "a name that is too long",
    { ...right, name: "x".repeat(65) },
    "name",
    "1 to 64 letters, digits, dots, dashes or underscores",
    "a string of 65 characters",
  ],
  ["no storage adapter", { ...right, storage: {} }, "storage", "a storage adapter", "an object"],
  ["null as storage", { ...right, storage: null }, "storage", "a storage adapter", "null"],
  [
    "the adapter's function instead of the adapter",
    { ...right, storage: memory },
    "storage",
    "a storage adapter",
    "a function",
  ],
  ["no transport", { ...right, transport: undefined }, "transport", "a transport", "undefined"],
  [
    "a URL as transport",
    { ...right, transport: "https://shop.example" },
    "transport",
    "a transport",
    '"https://shop.example"',
  ],
  [
    "no collections",
    { ...right, collections: undefined },
    "collections",
    "an object of definitions by name",
    "undefined",
  ],
  ["none in the collections", { ...right, collections: {} }, "collections", "at least one collection", "an object"],
  [
    "a schema instead of a collection",
    { ...right, collections: { a: z.object({}) } },
    "collections.a",
    "a collection definition",
    "an object",
  ],
  [
    "a reference to a collection that is not here",
    { ...right, collections: { sales: collections.sales, payments: collections.payments } },
    'collections.sales.references["customerId"]',
    "one of sales, payments",
    '"customers"',
  ],
  ["an actor that is no function", { ...right, actor: "u-7" }, "actor", "a function", '"u-7"'],
  ["a device that is no object", { ...right, device: "till-1" }, "device", "an object", '"till-1"'],
  [
    "a device with an id that is none",
    { ...right, device: { id: "till 1" } },
    "device.id",
    "1 to 64 of A-Z, a-z, 0-9, _ and -",
    '"till 1"',
  ],
  [
    "a device with a number as name",
    { ...right, device: { name: 7 } },
    "device.name",
    "a string of 1 to 128 characters",
    "7",
  ],
  [
    "a device with half a character at the end of its name",
    { ...right, device: { name: "Kasse 😀".slice(0, 7) } },
    "device.name",
    "a string of 1 to 128 characters",
    JSON.stringify("Kasse 😀".slice(0, 7)),
  ],
  [
    "a device with an empty version",
    { ...right, device: { appVersion: "" } },
    "device.appVersion",
    "a string of 1 to 128 characters",
    '""',
  ],
  [
    "a device with what it does not have",
    { ...right, device: { os: "x" } },
    "device.os",
    "one of id, name, appVersion",
    '"os"',
  ],
  ["sync that is no object", { ...right, sync: false }, "sync", "an object", "false"],
  [
    "sync with what it does not have",
    { ...right, sync: { interval: 5 } },
    "sync.interval",
    "one of auto, intervalMs, batch, retry",
    '"interval"',
  ],
  ["sync.auto that is no boolean", { ...right, sync: { auto: "no" } }, "sync.auto", "true or false", '"no"'],
  [
    "an interval below a second",
    { ...right, sync: { intervalMs: 999 } },
    "sync.intervalMs",
    "a number from 1000 to 60000",
    "999",
  ],
  [
    "an interval above a minute",
    { ...right, sync: { intervalMs: 60_001 } },
    "sync.intervalMs",
    "a number from 1000 to 60000",
    "60001",
  ],
  [
    "an interval that is no number",
    { ...right, sync: { intervalMs: "30s" } },
    "sync.intervalMs",
    "a number from 1000 to 60000",
    '"30s"',
  ],
  [
    "an interval of NaN",
    { ...right, sync: { intervalMs: Number.NaN } },
    "sync.intervalMs",
    "a number from 1000 to 60000",
    "NaN",
  ],
  [
    "a batch of nothing",
    { ...right, sync: { batch: { maxOperations: 0 } } },
    "sync.batch.maxOperations",
    "a number from 1 to 500",
    "0",
  ],
  [
    "a batch of half an operation",
    { ...right, sync: { batch: { maxOperations: 1.5 } } },
    "sync.batch.maxOperations",
    "a whole number from 1 to 500",
    "1.5",
  ],
  [
    "a batch with more than the protocol has",
    { ...right, sync: { batch: { maxOperations: 501 } } },
    "sync.batch.maxOperations",
    "a number from 1 to 500",
    "501",
  ],
  [
    "a batch with too many bytes",
    { ...right, sync: { batch: { maxBytes: 2 ** 21 } } },
    "sync.batch.maxBytes",
    "a number from 1024 to 1048576",
    "2097152",
  ],
  [
    "a batch with what it does not have",
    { ...right, sync: { batch: { size: 5 } } },
    "sync.batch.size",
    "one of maxOperations, maxBytes",
    '"size"',
  ],
  [
    "a shortest wait of nothing",
    { ...right, sync: { retry: { minMs: 0 } } },
    "sync.retry.minMs",
    "a number from 10 to 3600000",
    "0",
  ],
  [
    "a longest wait below the shortest",
    { ...right, sync: { retry: { minMs: 5_000, maxMs: 4_000 } } },
    "sync.retry.maxMs",
    "a number from 5000 to 3600000",
    "4000",
  ],
  [
    "retry with what it does not have",
    { ...right, sync: { retry: { limit: 5 } } },
    "sync.retry.limit",
    "one of minMs, maxMs",
    '"limit"',
  ],
  ["a clock without its methods", { ...right, clock: {} }, "clock", "a clock", "an object"],
  [
    "a random source without its methods",
    { ...right, random: { uuid: () => "" } },
    "random",
    "a random source",
    "an object",
  ],
  ["a logger without its methods", { ...right, logger: { log() {} } }, "logger", "a logger", "an object"],
  ["a coordinator that is none", { ...right, coordinator: {} }, "coordinator", "a coordinator", "an object"],
  [
    "a connectivity that is none",
    { ...right, connectivity: true },
    "connectivity",
    "a source of connectivity hints",
    "true",
  ],
  [
    "an option that there is not",
    { ...right, transports: 1 },
    "transports",
    "one of name, storage, transport, collections, device, actor, sync, clock, random, logger, coordinator, connectivity",
    '"transports"',
  ],
  [
    "an option that later versions have",
    { ...right, telemetry: undefined },
    "telemetry",
    "one of name, storage, transport, collections, device, actor, sync, clock, random, logger, coordinator, connectivity",
    '"telemetry"',
  ],
];

describe("is refused", () => {
  for (const [what, options, option, expected, received] of wrong)
    test(what, () => {
      const { hint, message, ...details } = refusal(options);
      expect(details).toEqual({
        option,
        expected: expect.stringContaining(expected.replace("a number", "number")),
        received,
      });
      expect([hint.length > 10, message]).toEqual([true, expect.stringContaining(hint)]);
    });

  for (const options of [undefined, null, 7, "nairobi"])
    test(`${JSON.stringify(options)} instead of options`, () => {
      expect(refusal(options).message).not.toBe("");
    });
});

describe("is taken", () => {
  const fine: Readonly<Record<string, unknown>> = {
    "what is needed, and nothing else": right,
    "undefined for whatever is optional": {
      ...right,
      device: undefined,
      actor: undefined,
      sync: undefined,
      clock: undefined,
      random: undefined,
      logger: undefined,
      coordinator: undefined,
      connectivity: undefined,
    },
    "undefined for each part": {
      ...right,
      device: { id: undefined, name: undefined, appVersion: undefined },
      sync: { auto: undefined, intervalMs: undefined, batch: undefined, retry: undefined },
    },
    "the least and the most of each": {
      ...right,
      sync: { intervalMs: 1_000, batch: { maxOperations: 1, maxBytes: 1_024 }, retry: { minMs: 10, maxMs: 3_600_000 } },
    },
    "a shortest wait above the usual longest": { ...right, sync: { retry: { minMs: 120_000 } } },
    "the platform's console as logger": { ...right, logger: console },
    "a collection of valibot's or arktype's kind": {
      ...right,
      collections: { a: defineCollection({ schema: z.object({}) }) },
    },
    "no storage: IndexedDB, which is not touched": { ...right, storage: undefined },
  };
  for (const [what, options] of Object.entries(fine))
    test(what, () => {
      expect(createSyncClient(options as never).status.phase).toBe("stopped");
    });
});

test("where there is no IndexedDB, the first use says so; it is never memory in silence", async () => {
  const client = createSyncClient({ name: "x", transport: world.transport(), collections });
  await expect(client.collections.products.count()).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(client.status).toMatchObject({ phase: "failed", error: { code: "storage_unavailable" } });
});

test("a listener for an event that there is not is refused, with the names that there are", async () => {
  await using till = createSyncClient(right);
  expect(() => till.on("aplied" as never, () => {})).toThrow(
    "Expected `event` to be one of status, queued, applied, rejected, quarantined, conflict, pulled",
  );
});
