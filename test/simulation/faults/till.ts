/** What befalls a till: its tabs, its clock, its disk. */
import type { MemorySnapshot } from "tillsync/storage/memory";
import type { StepFault } from "../machines/disk.ts";
import type { Machine } from "../machines/machine.ts";
import type { Fault } from "./fault.ts";

const onStep = (kind: string, fault: StepFault): Fault => ({
  kind,
  weight: 2,
  strike: ({ machine, draw }) => machine.armStep(kind, fault, draw.int(1, 12)),
});

/** Pictures of disks, for one that is put back or cloned. */
const pictures = new WeakMap<Machine, MemorySnapshot>();
const OFTEN = ["answer", "register"] as const;
const SELDOM = ["sweep", "epoch", "fork"] as const;
const MINUTE = 60_000;

export const till: readonly Fault[] = [
  onStep("crash_before_step", "crash_before"),
  onStep("crash_after_step", "crash_after"),
  onStep("storage_error", "fail"),
  onStep("storage_silent", "silent"),
  onStep("quota", "full"),
  {
    /** An answer that has come, and that others overtake. */
    kind: "slow_step",
    weight: 4,
    strike({ machine, draw }) {
      machine.armSlowAnswers(draw.int(1, 4));
    },
  },
  {
    /** The disk refuses just that: what was sent stays unanswered here. */
    kind: "answer_refused",
    weight: 3,
    strike({ machine, draw }) {
      for (let left = draw.int(1, 3); left > 0; left--) machine.armStepOf("answer_refused", "fail", "answer");
    },
  },
  {
    /** In the middle of what only the holder of the turn may write. */
    kind: "freeze_at_turn",
    weight: 4,
    strike({ world, machine, draw }) {
      machine.armStepOf("freeze_at_turn", "freeze", draw.pick(OFTEN));
      // What is seldom done, whoever does it.
      for (const one of world.machines) for (const label of SELDOM) one.armStepOf("freeze_at_turn", "freeze", label);
    },
  },
  {
    kind: "crash",
    weight: 2,
    strike({ machine, hit }) {
      if (!machine.isOn) return;
      hit();
      machine.crash("at once");
    },
  },
  {
    kind: "tab_crash",
    weight: 2,
    strike({ world, machine, draw, hit }) {
      if (machine.tabs.length < 2) return;
      hit();
      machine.crashTab(draw.pick(machine.tabs));
      world.timeline.after(draw.int(100, 20_000), () => machine.start());
    },
  },
  {
    /** A second window: another tab that writes, and waits for its turn. */
    kind: "new_tab",
    weight: 2,
    strike({ machine, hit }) {
      if (!machine.isOn || machine.tabs.length > 2) return;
      hit();
      machine.openTab();
    },
  },
  {
    kind: "freeze",
    weight: 3,
    strike({ world, machine, draw, hit }) {
      const tab = draw.pick(machine.tabs.length > 0 ? machine.tabs : [undefined]);
      if (tab === undefined || tab.state !== "alive") return;
      hit();
      tab.freeze(draw.chance(0.5));
      world.timeline.after(draw.int(500, 60_000), () => tab.thaw());
    },
  },
  {
    /** The lid is shut: time passes outside, and nothing else. */
    kind: "sleep",
    weight: 2,
    strike({ world, machine, draw, hit }) {
      if (!machine.isOn) return;
      hit();
      const ms = draw.int(1_000, 2 * MINUTE);
      const mend = machine.line.cut("both");
      const asleep = machine.tabs.filter(({ state }) => state === "alive");
      for (const tab of asleep) tab.freeze(false);
      world.timeline.after(ms, () => {
        // Whoever was woken before has not slept so long: a clock that only goes forward must not go back.
        if (!world.isHealing) machine.sleptMs += ms;
        mend();
        for (const tab of asleep) tab.thaw();
      });
    },
  },
  {
    kind: "clock_jump",
    weight: 2,
    strike({ machine, draw, hit }) {
      hit();
      machine.wallOffsetMs = draw.pick([-86_400_000, -90_000, 0, 45_000, 3_600_000, 400 * 86_400_000]);
      for (const tab of machine.tabs) tab.hint("visible");
    },
  },
  {
    kind: "disk_wiped",
    weight: 1,
    strike({ machine, draw, hit }) {
      hit();
      machine.exchangeDisk(undefined, draw.chance(0.7));
    },
  },
  {
    kind: "disk_picture",
    weight: 2,
    strike({ machine, hit }) {
      hit();
      pictures.set(machine, machine.snapshot());
    },
  },
  {
    kind: "disk_rolled_back",
    weight: 2,
    strike({ world, machine, draw, hit }) {
      const taken = pictures.get(machine);
      const picture = taken ?? machine.snapshot();
      const put = () => {
        if (world.isHealing) return;
        hit();
        machine.exchangeDisk(picture, draw.chance(0.5));
      };
      if (taken) put();
      else world.timeline.after(draw.int(2_000, 20_000), put);
    },
  },
  {
    kind: "disk_cloned",
    weight: 1,
    strike({ world, machine, draw, hit }) {
      if (world.machines.length > 5 || world.machines.some(({ name }) => name === `${machine.name}-clone`)) return;
      hit();
      const clone = world.addMachine(`${machine.name}-clone`, machine.deviceId);
      clone.disk.restore(clone.storeName, machine.snapshot());
      world.timeline.after(draw.int(0, 5_000), () => clone.start());
      // Whoever is told to fork may have older answers still.
      for (const one of [machine, clone]) one.armSlowAnswers(draw.int(0, 4));
    },
  },
];
