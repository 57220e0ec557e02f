/** Everything that a liar says. */
import { claims } from "./claims.ts";
import { desks } from "./desks.ts";
import { frames } from "./frames.ts";
import type { Lie } from "./lie.ts";
import { replacing } from "./replacing.ts";
import { returning } from "./returning.ts";
import { sizes } from "./sizes.ts";
import { taking } from "./taking.ts";
import { writing } from "./writing.ts";

export const lies: readonly Lie[] = [
  ...writing,
  ...claims,
  ...replacing,
  ...returning,
  ...frames,
  ...desks,
  ...sizes,
  ...taking,
];

const byKind = new Map(lies.map((lie) => [lie.kind, lie]));

export function lieOf(kind: string): Lie {
  const lie = byKind.get(kind);
  if (lie === undefined) throw new Error(`There is no lie "${kind}".`);
  return lie;
}
