/** Something that goes wrong. A new one is a file or a line here; the coverage report asks for it in every pair. */
import type { Draw } from "../engine/draw.ts";
import type { Machine } from "../machines/machine.ts";
import type { PlanOptions } from "../plan.ts";
import type { SimWorld } from "../world.ts";

export interface FaultContext {
  readonly world: SimWorld;
  readonly machine: Machine;
  readonly draw: Draw;
  /** It befell something now. What is armed says so when it goes off. */
  hit(): void;
}

export interface Fault {
  readonly kind: string;
  /** 0: it is not drawn, since it only makes sense where plan.ts plans it. */
  readonly weight: number;
  /** Only in plans with these options. */
  needs?(options: PlanOptions): boolean;
  strike(context: FaultContext): void | Promise<void>;
}
