/** What befalls requests and their answers on the way. */
import type { Cut, RequestFault } from "../machines/sim-line.ts";
import type { Fault } from "./fault.ts";

const onRequest = (kind: string, fault: (draw: Parameters<Fault["strike"]>[0]["draw"]) => RequestFault): Fault => ({
  kind,
  weight: 3,
  strike: ({ machine, draw }) => machine.line.arm(kind, fault(draw)),
});

const cut = (kind: string, what: Cut): Fault => ({
  kind,
  weight: 2,
  strike({ world, machine, draw, hit }) {
    hit();
    const mend = machine.line.cut(what);
    // The platform notices some outages, and not others.
    const isNoticed = what === "both" && draw.chance(0.5);
    if (isNoticed) {
      machine.line.seemsUp = false;
      for (const tab of machine.tabs) tab.hint("offline");
    }
    world.timeline.after(draw.int(500, 60_000), () => {
      mend();
      machine.line.seemsUp = true;
      if (isNoticed) for (const tab of machine.tabs) tab.hint("online");
    });
  },
});

/** Of a proxy or a balancer between: without the protocol's headers. */
const STATUSES = [400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504] as const;

export const network: readonly Fault[] = [
  onRequest("drop_request", () => ({ kind: "drop_request" })),
  onRequest("drop_answer", () => ({ kind: "drop_answer" })),
  onRequest("duplicate", () => ({ kind: "duplicate" })),
  onRequest("delay", () => ({ kind: "delay" })),
  // Held somewhere between: for the till it has failed, and the server gets it, sometime.
  onRequest("late_request", () => ({ kind: "late" })),
  onRequest("truncate", () => ({ kind: "truncate" })),
  onRequest("foreign_answer", () => ({ kind: "foreign" })),
  onRequest("stale_answer", () => ({ kind: "stale" })),
  onRequest("crossed_answer", () => ({ kind: "crossed" })),
  onRequest("freeze_in_flight", () => ({ kind: "freeze" })),
  onRequest("poison", () => ({ kind: "poison" })),
  onRequest("status", (draw) => ({
    kind: "status",
    status: draw.pick(STATUSES),
    ...(draw.chance(0.4) && { retryAfterS: draw.int(1, 9) }),
  })),
  cut("partition", "both"),
  cut("requests_cut", "requests"),
  cut("answers_cut", "answers"),
  {
    kind: "slow_line",
    weight: 3,
    strike({ world, machine, draw, hit }) {
      hit();
      const end = machine.line.carry(draw.int(2_000, 50_000), draw.chance(0.3));
      world.timeline.after(draw.int(20_000, 180_000), end);
    },
  },
  {
    kind: "slow_network",
    weight: 2,
    strike({ world, machine, draw, hit }) {
      hit();
      machine.line.slowMs = draw.int(200, 9_000);
      world.timeline.after(draw.int(1_000, 40_000), () => {
        machine.line.slowMs = 0;
      });
    },
  },
];
