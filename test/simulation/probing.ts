/** V2, V3, V4: when nothing is wrong any more, a till is quiet, and a sale is on the server at once and at the others soon. */
import { commandOf } from "./commands/index.ts";
import { Draw } from "./engine/draw.ts";
import { differences } from "./invariants/converged.ts";
import type { Machine } from "./machines/machine.ts";
import type { Tab } from "./machines/tab.ts";
import type { SimWorld } from "./world.ts";

const QUIET_MS = 40_000;
/** A pull every interval of five seconds, and what the end of the trouble before leaves. */
const MOST_REQUESTS = 30;
/** Two steps of the disk and a request: a moment. The next look at the queue would be five seconds later. */
const SENT_MS = 3_000;
const SEEN_MS = 12_000;
/** A lease must run out first; where there are locks, a frozen holder is asked twice. */
const TAKEN_MS = 30_000;

export async function probe(world: SimWorld): Promise<void> {
  const { timeline } = world;
  const sent = new Map(world.machines.map((machine) => [machine, machine.line.sent]));
  await timeline.runUntil(timeline.now + QUIET_MS);
  for (const machine of world.machines) {
    const requests = machine.line.sent - (sent.get(machine) ?? 0);
    if (requests > MOST_REQUESTS)
      world.violation(
        "V3",
        `${machine.name} sent ${requests} requests in ${QUIET_MS / 1_000} s in which nothing happened`,
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
      void commandOf("sale").run({ world, machine, tab, draw });
    }
  }
  await timeline.runUntil(timeline.now + SENT_MS);
  unsent(world, before, SENT_MS);
  await timeline.runUntil(timeline.now + SEEN_MS);
  for (const what of world.machines.flatMap(strayStatus)) world.violation("V4", what);
  for (const what of await timeline.during(differences(world))) world.violation("V4", `${what}, ${SEEN_MS} ms later`);
  await standStill(world);
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
  await timeline.runUntil(timeline.now + SEEN_MS);
}

/** What was sold since, and is not on the server yet. */
function unsent(world: SimWorld, before: ReadonlySet<string>, ms: number): void {
  const there = new Set((world.server.rows().operations ?? []).map(({ id }) => id));
  for (const [id, { operation }] of world.model.operations)
    if (!before.has(id) && !there.has(id))
      world.violation(
        "V2",
        `${operation.action} ${operation.collection}/${operation.entityId} is not sent after ${ms} ms`,
      );
}

/** Each tab shows what is on the disk that all of them share, whoever of them wrote it. */
function strayStatus(machine: Machine): readonly string[] {
  const open = machine.operations().filter(({ state }) => state === "pending" || state === "blocked").length;
  return machine.tabs
    .filter(({ client }) => client.status.pending.count !== open)
    .map(({ name, client }) => `${name} shows ${client.status.pending.count} unsent, and there are ${open}`);
}
