/** Every bug that is planted. */
import { answers } from "./answers.ts";
import { counters } from "./counters.ts";
import { desks } from "./desks.ts";
import { epochs } from "./epochs.ts";
import { fences } from "./fences.ts";
import { foreign } from "./foreign.ts";
import { identity } from "./identity.ts";
import { judging } from "./judging.ts";
import { liar } from "./liar.ts";
import { loop } from "./loop.ts";
import type { Mutant } from "./mutant.ts";
import { scope } from "./scope.ts";
import { sending } from "./sending.ts";
import { versions } from "./versions.ts";
import { view } from "./view.ts";

export const mutants: readonly Mutant[] = [
  ...sending,
  ...answers,
  ...view,
  ...fences,
  ...identity,
  ...epochs,
  ...judging,
  ...desks,
  ...counters,
  ...scope,
  ...loop,
  ...foreign,
  ...versions,
  ...liar,
];
