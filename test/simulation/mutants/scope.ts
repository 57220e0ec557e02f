/** Bugs in who sees what. */
import { type Mutant, mutant, patch } from "./mutant.ts";

export const scope: readonly Mutant[] = [
  mutant(
    "a branch sees the rows of the others",
    "C10",
    patch(
      "server/decide/rows/scope.ts",
      'return principal.branch === undefined ? "all" : ["", principal.branch];',
      'return "all";',
    ),
  ),
  mutant(
    "a row that leaves a branch stays at its tills",
    "C10",
    patch("server/decide/rows/rows.ts", "    ws.putDeparture({ ...key, scope: before.scope, version });\n", ""),
  ),
  mutant(
    "what names no branch is on every branch's desk",
    "S14",
    patch(
      "server/decide/rows/scope.ts",
      'claimed !== "" ? claimed : (sentFrom ?? "");',
      'claimed !== "" ? claimed : "";',
    ),
  ),
];
