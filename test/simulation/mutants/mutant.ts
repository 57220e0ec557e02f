/** A planted bug: a protocol or a client that lacks one of its rules. Planted by text at the time of the test, so that no switch is in src. */
import type { Patch } from "../bundle.ts";

export interface Mutant {
  /** In words. */
  readonly name: string;
  /** What it breaks: a rule of docs/rules.md (C, H, M) or an invariant of docs/reliability.md (S, V). */
  readonly rule: string;
  readonly patches: readonly Patch[];
}

export function mutant(name: string, rule: string, ...patches: readonly Patch[]): Mutant {
  return { name, rule, patches };
}

/** In that file of src, the one place that reads `find` reads `replace`. */
export function patch(file: string, find: string, replace: string): Patch {
  return { file: `src/${file}`, find, replace };
}
