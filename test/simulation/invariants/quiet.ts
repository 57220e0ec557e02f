/** V3: nobody asks without end. */
import type { Invariant } from "./invariant.ts";

/** Of each machine: a round every five seconds takes up to three requests, each operation up to a few, each fault some more. */
const PER_SECOND = 1.5;
const PER_OPERATION = 6;
const ALLOWED = 200;

export const quiet: Invariant = {
  name: "V3",
  check(world) {
    const seconds = world.timeline.now / 1_000;
    for (const machine of world.machines) {
      const most = ALLOWED + seconds * PER_SECOND + machine.operations().length * PER_OPERATION;
      if (machine.line.sent > most)
        world.violation("V3", `${machine.name} sent ${machine.line.sent} requests in ${Math.round(seconds)} s`);
    }
  },
};
