/** What befalls the server, its database, and who may speak to it. */
import type { MemorySnapshot } from "tillsync/server/memory";
import type { SimWorld } from "../world.ts";
import type { Fault } from "./fault.ts";

const backups = new WeakMap<SimWorld, MemorySnapshot>();

const armed = (step: "begin" | "commit" | "answer"): Fault => ({
  kind: `server_crash_${step}`,
  weight: 2,
  strike: ({ world }) => world.server.armCrash(step),
});

export const server: readonly Fault[] = [
  armed("begin"),
  armed("commit"),
  armed("answer"),
  {
    /** One of two processes: the other goes on. */
    kind: "process_crash",
    weight: 2,
    strike({ world, draw, hit }) {
      hit();
      world.server.crash(draw.int(0, 1), draw.int(100, 30_000));
    },
  },
  {
    kind: "slow_database",
    weight: 2,
    strike({ world, draw, hit }) {
      hit();
      world.server.slowMs = draw.int(10, 3_000);
      world.timeline.after(draw.int(1_000, 40_000), () => {
        world.server.slowMs = 0;
      });
    },
  },
  {
    kind: "backup",
    weight: 2,
    strike({ world, hit }) {
      hit();
      backups.set(world, world.server.backup());
    },
  },
  {
    kind: "restore",
    weight: 2,
    strike: (context) => restore(context, false),
  },
  {
    kind: "restore_announced",
    weight: 2,
    strike: (context) => restore(context, true),
  },
  {
    kind: "token_expired",
    weight: 3,
    strike({ world, machine, hit }) {
      hit();
      world.server.expireToken(machine.deviceId);
    },
  },
  {
    kind: "signed_out",
    weight: 2,
    strike({ world, machine, draw, hit }) {
      hit();
      machine.isSignedOut = true;
      world.timeline.after(draw.int(1_000, 40_000), () => {
        machine.isSignedOut = false;
        for (const tab of machine.tabs) tab.hint("visible");
      });
    },
  },
  {
    kind: "revoked",
    weight: 0.5,
    async strike({ world, machine, hit }) {
      // Somebody must go on.
      if (world.machines.some(({ deviceId }) => world.server.revoked.has(deviceId))) return;
      hit();
      await world.server.revoke(machine.deviceId);
    },
  },
];

async function restore({ world, draw, hit }: Parameters<Fault["strike"]>[0], announced: boolean): Promise<void> {
  const taken = backups.get(world);
  const backup = taken ?? world.server.backup();
  if (taken === undefined) await world.timeline.wait(draw.int(2_000, 20_000));
  // What was answered before it may be written after it.
  for (const machine of world.machines) machine.armSlowAnswers(draw.int(0, 2));
  await world.timeline.wait(draw.int(0, 6_000));
  if (world.isHealing) return;
  if (world.server.isRestoring) return;
  hit();
  await world.server.restore(backup, announced);
}
