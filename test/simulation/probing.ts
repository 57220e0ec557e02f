/** V2, V3, V4: when nothing is wrong any more, a till is quiet, and a sale is on the server at once and at the others soon. */
import { commandOf } from "./commands/index.ts";
import { Draw } from "./engine/draw.ts";
import { differences } from "./invariants/converged.ts";
import type { Machine } from "./machines/machine.ts";
import type { Tab } from "./machines/tab.ts";
import { PRODUCTS } from "./sim-shop.ts";
import type { SimWorld } from "./world.ts";

const QUIET_MS = 40_000;
/** Longer than the longest wait of a client that nobody has told to be quicker. */
const QUIET_DEFAULT_MS = 75_000;
/** A pull every interval of five seconds, and what the end of the trouble before leaves. */
const MOST_REQUESTS = 30;
/** Of each tab, for a channel that is not there: the waits grow. */
const MOST_DIALLED = 25;
/** Two steps of the disk and a request: a moment. The next look at the queue would be five seconds later. */
const SENT_MS = 3_000;
const SEEN_MS = 12_000;
const SEEN_DEFAULT_MS = 36_000;
/** A poke, and the pull that follows it. */
const POKED_MS = 2_500;
/** While something is on its way the next thing is sold: it must not wait for the next look at the queue. */
const LATER_MS = 120;
/** A lease must run out first; where there are locks, a frozen holder is asked twice. */
const TAKEN_MS = 30_000;
const DAY = 86_400_000;
/** A minute, and a look at the queue. */
const WOKEN_MS = 100_000;

export async function probe(world: SimWorld): Promise<void> {
  const { timeline } = world;
  const { defaults = false, live } = world.plan.options;
  const quietMs = defaults ? QUIET_DEFAULT_MS : QUIET_MS;
  const sent = new Map(world.machines.map((machine) => [machine, machine.line.sent]));
  const dialled = new Map(world.machines.map((machine) => [machine, machine.line.dialled]));
  await timeline.runUntil(timeline.now + quietMs);
  for (const machine of world.machines) {
    const calls = machine.line.dialled - (dialled.get(machine) ?? 0);
    if (calls > MOST_DIALLED * Math.max(1, machine.tabs.length))
      world.violation("V3", `${machine.name} asked ${calls} times for a channel in ${quietMs / 1_000} s`);
    const requests = machine.line.sent - (sent.get(machine) ?? 0);
    if (requests > MOST_REQUESTS)
      world.violation(
        "V3",
        `${machine.name} sent ${requests} requests in ${quietMs / 1_000} s in which nothing happened`,
      );
  }
  const before = new Set(world.model.operations.keys());
  for (const machine of world.machines) {
    if (world.server.revoked.has(machine.deviceId)) continue;
    // Where only those sell that wait for their turn, the one that has it must be told.
    const others = machine.tabs.filter((tab) => tab !== machine.holder);
    const isQuiet = others.length > 0 && new Draw(world.plan.seed, `probe ${machine.name}`).chance(0.5);
    for (const tab of isQuiet ? others : machine.tabs) {
      const draw = new Draw(world.plan.seed, `probe ${tab.name}`);
      const sell = () =>
        void commandOf("sale")
          .run({ world, machine, tab, draw })
          .catch((error) => timeline.fail(error));
      sell();
      for (let more = draw.int(0, 3); more > 0; more--) timeline.after(draw.int(0, LATER_MS), sell);
    }
  }
  await timeline.runUntil(timeline.now + SENT_MS);
  unsent(world, before, SENT_MS);
  // A device is not poked for what it has sent itself, and a clone is the same device.
  const isPoked = live === "on" && new Set(world.machines.map((one) => one.deviceId)).size === world.machines.length;
  const seenMs = isPoked ? POKED_MS : defaults ? SEEN_DEFAULT_MS : SEEN_MS;
  await timeline.runUntil(timeline.now + seenMs);
  await shown(world, `${seenMs} ms later`);
  if (world.violations.length > 0) return;
  await backInTime(world);
  await standStill(world);
}

/** V4: every tab shows what is on the disk that all of them share, and every disk what the server has. */
async function shown(world: SimWorld, when: string): Promise<void> {
  const { timeline } = world;
  for (const machine of world.machines) {
    for (const what of strayStatus(machine)) world.violation("V4", what);
    for (const { watched } of machine.tabs)
      for (const what of await timeline.during(watched?.strays() ?? Promise.resolve([]))) world.violation("V4", what);
  }
  for (const what of await timeline.during(differences(world))) world.violation("V4", `${what}, ${when}`);
}

/** What the server asked to send again later is sent a minute later, also where somebody sets the clock back meanwhile [H2]. */
async function backInTime(world: SimWorld): Promise<void> {
  const { timeline, server } = world;
  const draw = new Draw(world.plan.seed, "probe clock");
  const machine = draw.pick(world.machines);
  const tab = machine.holder;
  const isHeld = tab !== undefined && machine.tabs.includes(tab);
  if (!isHeld || server.revoked.has(machine.deviceId) || draw.chance(0.7)) return;
  server.policiesFail = true;
  const priceCents = draw.int(10_000, 99_999);
  await timeline.during(tab.client.collections.products.update(draw.pick(PRODUCTS), { priceCents }));
  await timeline.runUntil(timeline.now + SENT_MS);
  const before = machine.wallOffsetMs;
  machine.wallOffsetMs -= DAY;
  server.policiesFail = false;
  const isWaiting = () => machine.operations().some(({ state }) => state === "pending" || state === "blocked");
  await timeline.runUntil(timeline.now + WOKEN_MS, () => !isWaiting());
  if (isWaiting()) world.violation("V2", `${machine.name} has not sent again what it should, ${WOKEN_MS} ms later`);
  machine.wallOffsetMs = before;
  await timeline.runUntil(timeline.now + (world.plan.options.defaults ? SEEN_DEFAULT_MS : SEEN_MS));
}

/** Whoever has the turn and is frozen holds up no sale that another tab makes. */
async function standStill(world: SimWorld): Promise<void> {
  const { timeline } = world;
  const before = new Set(world.model.operations.keys());
  const frozen: Tab[] = [];
  for (const machine of world.machines) {
    const draw = new Draw(world.plan.seed, `probe frozen ${machine.name}`);
    const others = machine.tabs.filter((tab) => tab !== machine.holder);
    const { holder } = machine;
    const isHeld = holder !== undefined && machine.tabs.includes(holder);
    if (world.server.revoked.has(machine.deviceId) || !isHeld || others.length === 0 || draw.chance(0.5)) continue;
    holder.freeze(false);
    frozen.push(holder);
    void commandOf("sale").run({ world, machine, tab: draw.pick(others), draw });
  }
  if (frozen.length === 0) return;
  await timeline.runUntil(timeline.now + TAKEN_MS);
  unsent(world, before, TAKEN_MS);
  for (const tab of frozen) tab.thaw();
  await timeline.runUntil(timeline.now + (world.plan.options.defaults ? SEEN_DEFAULT_MS : SEEN_MS));
}

/** What was sold since, and is not on the server yet. */
function unsent(world: SimWorld, before: ReadonlySet<string>, ms: number): void {
  const there = world.server.arrived();
  for (const [id, { operation }] of world.model.operations)
    if (!before.has(id) && !there.has(id))
      world.violation(
        "V2",
        `${operation.action} ${operation.collection}/${operation.entityId} is not sent after ${ms} ms`,
      );
}

/** Each tab shows what is on the disk that all of them share, whoever of them wrote it. */
function strayStatus(machine: Machine): readonly string[] {
  const operations = machine.operations();
  const open = operations.filter(({ state }) => state === "pending" || state === "blocked");
  const count = (state: string) =>
    operations.filter((o) => o.state === state && !(state === "quarantined" && o.error?.code === "discarded")).length;
  const byCollection: Record<string, number> = {};
  for (const { collection } of open) byCollection[collection] = (byCollection[collection] ?? 0) + 1;
  const isText = (pending: object, attention: object) =>
    JSON.stringify([Object.entries(pending).sort(), Object.entries(attention).sort()]);
  const is = isText(
    {
      count: open.length,
      oldestAt: open.length === 0 ? undefined : Math.min(...open.map(({ occurredAt }) => occurredAt)),
      byCollection: JSON.stringify(Object.entries(byCollection).sort()),
    },
    { conflicts: count("conflict"), rejected: count("rejected"), quarantined: count("quarantined") },
  );
  return machine.tabs.flatMap(({ name, client: { status } }) => {
    const { pending, attention } = status;
    const sorted = JSON.stringify(Object.entries(pending.byCollection).sort());
    const shows = isText({ ...pending, byCollection: sorted }, attention);
    return shows === is ? [] : [`${name} shows the status ${shows}, and ${is} is right`];
  });
}
