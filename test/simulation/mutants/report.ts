/** What a person reads of the planted bugs. (simulation) */
import type { Catch } from "./hunt.ts";

const WIDTH = 62;

export function line({ mutant, first, caught, counted, seconds }: Catch): string {
  const name = mutant.name.padEnd(WIDTH);
  const time = `${seconds.toFixed(0)} s`;
  if (first === undefined) return `${name} NOT CAUGHT, ${time}`;
  const { seed, violation } = first;
  return `${name} ${violation.invariant.padEnd(4)} seed ${String(seed).padStart(4)}, ${caught} of ${counted}, ${time}\n    ${violation.what.slice(0, 160)}`;
}

export function markdown(catches: readonly Catch[]): string {
  const rows = catches.map(({ mutant: { name, rule }, first, caught, counted }) =>
    first === undefined
      ? `| ${name} | ${rule} | not caught | | |`
      : `| ${name} | ${rule} | ${first.violation.invariant} | ${first.seed} | ${caught} of ${counted} |`,
  );
  return ["| Planted bug | Breaks | Caught by | First seed | Seeds |", "|---|---|---|---|---|", ...rows].join("\n");
}
