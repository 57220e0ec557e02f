/** A holder of the turn that another has taken it from, and that goes on all the same. Each place that checks is left out once. */
import { type Mutant, mutant, patch } from "./mutant.ts";

export const fences: readonly Mutant[] = [
  mutant(
    "fence not checked: answer",
    "S8",
    patch(
      "client/scripts/answer.ts",
      "const current = point.fence === binding.fence && point.epoch",
      "const current = point.epoch",
    ),
  ),
  mutant(
    "fence not checked: registration",
    "S8",
    patch(
      "client/scripts/identity.ts",
      "if (known === undefined || point.fence !== fence)",
      "if (known === undefined)",
    ),
  ),
  mutant(
    "fence not checked: new epoch",
    "S8",
    patch(
      "client/scripts/identity.ts",
      "if (point.fence !== fence || point.epoch === epoch)",
      "if (point.epoch === epoch)",
    ),
  ),
  mutant(
    "fence not checked: fork",
    "S8",
    patch(
      "client/scripts/identity.ts",
      "if (before === undefined || point?.fence !== fence)",
      "if (before === undefined)",
    ),
  ),
  mutant(
    "fence not checked: sweep",
    "S8",
    patch(
      "client/scripts/upkeep.ts",
      "if (point?.fence !== fence || cursor?.sweep === undefined)",
      "if (cursor?.sweep === undefined)",
    ),
  ),
  mutant(
    "fence not taken",
    "S8",
    patch("client/scripts/turn.ts", "{ ...known, fence: known.fence + 1 }", "{ ...known }"),
  ),
];
