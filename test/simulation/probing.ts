/** L2, L3, L4: when nothing is wrong any more, a till is quiet, and a sale is on the server at once and at the others soon. (simulation) */
import { commandOf } from "./commands/index.ts";
import { Draw } from "./engine/draw.ts";
import { differences } from "./invariants/converged.ts";
import type { Machine } from "./machines/machine.ts";
import type { World } from "./world.ts";

const QUIET_MS = 40_000;
/** A pull every interval of five seconds, and what the end of the trouble before leaves. */
const MOST_REQUESTS = 30;
/** Two steps of the disk and a request: a moment. The next look at the queue would be five seconds later. */
const SENT_MS = 3_000;
const SEEN_MS = 12_000;

export async function probe(world: World): Promise<void> {
  const { timeline } = world;
  const sent = new Map(world.machines.map((machine) => [machine, machine.line.sent]));
  await timeline.runUntil(timeline.now + QUIET_MS);
  for (const machine of world.machines) {
    const requests = machine.line.sent - (sent.get(machine) ?? 0);
    if (requests > MOST_REQUESTS)
      world.violation(
        "L3",
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
  const there = new Set((world.server.rows().operations ?? []).map(({ id }) => id));
  for (const [id, { operation }] of world.model.operations)
    if (!before.has(id) && !there.has(id))
      world.violation(
        "L2",
        `${operation.action} ${operation.collection}/${operation.entityId} is not sent after ${SENT_MS} ms`,
      );
  await timeline.runUntil(timeline.now + SEEN_MS);
  for (const what of world.machines.flatMap(strayStatus)) world.violation("L4", what);
  for (const what of await timeline.during(differences(world))) world.violation("L4", `${what}, ${SEEN_MS} ms later`);
}

/** Each tab shows what is on the disk that all of them share, whoever of them wrote it. */
function strayStatus(machine: Machine): readonly string[] {
  const open = machine.operations().filter(({ state }) => state === "pending" || state === "blocked").length;
  return machine.tabs
    .filter(({ client }) => client.status.pending.count !== open)
    .map(({ name, client }) => `${name} shows ${client.status.pending.count} unsent, and there are ${open}`);
}
