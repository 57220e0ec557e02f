/** Whose tokens are whose, what the shop's own code does, and who does not answer for it. */
import { BRANCHES, LIAR } from "../sim-shop.ts";
import type { Fault } from "./fault.ts";

/** For a while. */
const forAWhile = (
  kind: string,
  set: (context: Parameters<Fault["strike"]>[0], isOn: boolean) => void,
  longestMs = 30_000,
): Fault => ({
  kind,
  weight: 2,
  strike(context) {
    context.hit();
    set(context, true);
    context.world.timeline.after(context.draw.int(1_000, longestMs), () => set(context, false));
  },
});

export const people: readonly Fault[] = [
  forAWhile("policy_throws", ({ world: { server } }, isOn) => {
    server.policiesFail = isOn;
  }),
  forAWhile("database_down", ({ world: { server } }, isOn) => {
    server.isDatabaseDown = isOn;
  }),
  forAWhile("tokens_unchecked", ({ world: { server } }, isOn) => {
    server.areTokensUnchecked = isOn;
  }),
  {
    /** One that is refused can't be exchanged for another one. */
    kind: "tokens_out",
    weight: 2,
    strike({ world, machine, draw, hit }) {
      hit();
      machine.areTokensOut = true;
      world.server.expireToken(machine.deviceId);
      world.timeline.after(draw.int(1_000, 20_000), () => {
        machine.areTokensOut = false;
      });
    },
  },
  {
    /** The till is given a token of another branch by mistake, and its own one later. */
    kind: "other_branch",
    weight: 2,
    strike({ world, machine, draw, hit }) {
      const branch = draw.pick(BRANCHES.filter((one) => one !== machine.branch));
      if (world.isHealing || !machine.lend(branch)) return;
      hit();
      world.timeline.after(draw.int(2_000, 40_000), () => void machine.lend(undefined));
    },
  },
  {
    /** Channels end, as proxies do it with what is idle. */
    kind: "channels_cut",
    weight: 1,
    strike({ world, machine, hit }) {
      if (world.plan.options.live !== "on") return;
      hit();
      machine.line.breakChannels();
    },
  },
  {
    /** The owner has found out who lies. Planned where there is a liar (plan.ts), and not drawn. */
    kind: "liar_revoked",
    weight: 0,
    async strike({ world, hit }) {
      if (world.liar === undefined || world.server.revoked.has(LIAR)) return;
      hit();
      await world.server.revoke(LIAR);
    },
  },
];
