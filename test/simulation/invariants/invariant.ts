/** Something that must hold at the end of every run, whatever happened in it. */
import type { SimWorld } from "../world.ts";

export interface Invariant {
  /** As on the reliability page: S is for safety, L for liveness. */
  readonly name: string;
  check(world: SimWorld): void | Promise<void>;
}
