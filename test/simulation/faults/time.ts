/** What time does to a shop. */
import type { Fault } from "./fault.ts";

const DAY = 86_400_000;

export const time: readonly Fault[] = [
  {
    /** Holidays: everything sleeps, and what was not sent before is sent after. Longer than a journal is kept. */
    kind: "shop_shut",
    weight: 3,
    async strike({ world, draw, hit }) {
      const unreached = world.machines.filter(() => draw.chance(0.5)).map(({ line }) => line.cut("both"));
      await world.timeline.wait(draw.int(0, 15_000));
      if (!world.isHealing) {
        hit();
        world.shutMs += draw.pick([1, 13, 20, 20]) * DAY;
        world.trace.say("world", `was shut, ${world.shutMs / DAY} days by now`);
      }
      await world.timeline.wait(draw.int(0, 4_000));
      for (const mend of unreached) mend();
    },
  },
];
