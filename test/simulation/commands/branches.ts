/** Rows that belong to one branch: the tills of the others must not see them, and the head office moves them about [C10]. */
import { BRANCHES } from "../sim-shop.ts";
import type { Command } from "./command.ts";

const SEATS = ["seat-1", "seat-2", "seat-3", "seat-4"] as const;

const seat: Command = {
  kind: "seat",
  weight: 2,
  async run({ machine, tab, draw }) {
    const id = draw.pick(SEATS);
    const branch = machine.branch ?? draw.pick(BRANCHES);
    await tab.client.collections.seats.create({ id, branch, name: `Seat ${draw.int(1, 99)}` });
    return `${id} in ${branch}`;
  },
};

const renameSeat: Command = {
  kind: "rename_seat",
  weight: 2,
  async run({ tab, draw }) {
    const id = draw.pick(SEATS);
    await tab.client.collections.seats.update(id, { name: `Window ${draw.int(1, 99)}` });
    return id;
  },
};

/** A till of a branch may try: it is told that it may not. */
const moveSeat: Command = {
  kind: "move_seat",
  weight: 3,
  async run({ world, machine, draw }) {
    const office = world.machines.find((one) => one.branch === undefined && one.isOn) ?? machine;
    const tab = office.tabs.find(({ state }) => state === "alive");
    if (tab === undefined) return "nobody is there";
    const id = draw.pick(SEATS);
    const branch = draw.pick(BRANCHES);
    await tab.client.collections.seats.update(id, { branch });
    return `${id} to ${branch}`;
  },
};

export const branches: readonly Command[] = [seat, renameSeat, moveSeat];
