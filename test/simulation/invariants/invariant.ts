/** Something that must hold at the end of every run, whatever happened in it. */
import type { SimWorld } from "../world.ts";

export interface Invariant {
  /** As in docs/reliability.md: S for safety, V for liveness, since L1 to L12 are the laws of docs/rules.md. */
  readonly name: string;
  check(world: SimWorld): void | Promise<void>;
}
