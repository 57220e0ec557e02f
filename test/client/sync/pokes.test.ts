/**
 * The channel for pokes: it is open while the till is online, is opened again when it was lost, and is only a hint
 * [M7].
 */
import { expect, test } from "vitest";
import type { LiveListener } from "../../../src/client/ports/transport.ts";
import { tea } from "../../support/shop.ts";
import { ClientWorld } from "../support/world.ts";

interface Channel {
  readonly listener: LiveListener;
  readonly signal: AbortSignal;
  readonly device: string;
}

/** A till whose channels the test opens and closes. */
async function connected() {
  const world = new ClientWorld();
  await world.seed("products", { ...tea, stock: 10 });
  const channels: Channel[] = [];
  const till = await world.open({
    device: { id: "till-1" },
    transport: {
      ...world.transport(),
      live: (listener, { signal, device }) => void channels.push({ listener, signal, device }),
    },
  });
  const open = () => channels.filter(({ signal }) => !signal.aborted).length;
  return { world, till, channels, open, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

test("is opened once, in the name of the device, when the till is online", async () => {
  await using kit = await connected();
  await kit.world.clock.advance(120_000);
  expect(kit.channels.map(({ device }) => device)).toEqual(["till-1"]);
});

test("has the till pull at once when it is poked", async () => {
  await using kit = await connected();
  await kit.world.seed("products", { ...tea, name: "Green" });
  kit.channels[0]?.listener.poke(["products"]);
  await kit.world.clock.settle();
  expect((await kit.till.collections.products.get("p-1"))?.name).toBe("Green");
});

test("is no condition: a till that is never poked pulls all the same", async () => {
  await using kit = await connected();
  await kit.world.seed("products", { ...tea, name: "Green" });
  await kit.world.clock.advance(60_000);
  expect((await kit.till.collections.products.get("p-1"))?.name).toBe("Green");
});

/** Loses the channel, and returns how long it takes until the next one is opened. */
async function lost({ world, channels }: Awaited<ReturnType<typeof connected>>): Promise<number> {
  const { length } = channels;
  const since = world.clock.now();
  channels.at(-1)?.listener.closed();
  while (channels.length === length) await world.clock.advance(100);
  return world.clock.now() - since;
}

test("is opened again after it was lost, with a wait that grows while it can't be had", async () => {
  await using kit = await connected();
  const at: number[] = [];
  for (let n = 0; n < 5; n += 1) at.push(await lost(kit));
  expect(at.every((wait) => wait >= 250)).toBe(true);
  expect(Math.max(...at)).toBeLessThanOrEqual(16_100);
  // The first wait is at most a second: a wait that does not grow never exceeds it.
  expect(Math.max(...at)).toBeGreaterThan(2_000);
  expect(kit.channels).toHaveLength(6);
});

test("that was open for a while is opened again after a short wait, whatever was before", async () => {
  await using kit = await connected();
  const short: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    for (let n = 0; n < 5; n += 1) await lost(kit);
    await kit.world.clock.advance(120_000);
    short.push(await lost(kit));
  }
  // The first wait is at most a second.
  expect(Math.max(...short)).toBeLessThanOrEqual(1_100);
});

test("is closed while the till is not online, and opened when it is again", async () => {
  await using kit = await connected();
  kit.till.pause("night");
  expect(kit.open()).toBe(0);
  kit.till.resume("night");
  await kit.world.clock.advance(1_000);
  expect(kit.open()).toBe(1);
});

test("is closed with the client, and not opened any more", async () => {
  await using kit = await connected();
  await kit.till.close();
  kit.channels[0]?.listener.closed();
  await kit.world.clock.advance(600_000);
  expect([kit.channels.length, kit.open()]).toEqual([1, 0]);
});
