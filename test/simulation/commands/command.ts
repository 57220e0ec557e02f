/** What somebody does at a till, or in the back office. A later capability adds a file here, and its invariant beside it. */
import type { Draw } from "../engine/draw.ts";
import type { Machine } from "../machines/machine.ts";
import type { Tab } from "../machines/tab.ts";
import type { PlanOptions } from "../plan.ts";
import type { SimWorld } from "../world.ts";

export interface CommandContext {
  readonly world: SimWorld;
  readonly machine: Machine;
  readonly tab: Tab;
  readonly draw: Draw;
}

export interface Command {
  readonly kind: string;
  readonly weight: number;
  /** Only in plans with these options. */
  needs?(options: PlanOptions): boolean;
  /** Answers what it did, for the trace. May reject with what a caller may be told; and never settles where the tab dies. */
  run(context: CommandContext): Promise<string>;
}
