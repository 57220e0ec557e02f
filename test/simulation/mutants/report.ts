/** What a person reads of the planted bugs. */
import type { Catch } from "./hunt.ts";

const WIDTH = 62;

export function line({ mutant, first, caught, counted, seconds }: Catch): string {
  const name = mutant.name.padEnd(WIDTH);
  const time = `${seconds.toFixed(0)} s`;
  if (first === undefined) return `${name} NOT CAUGHT, ${time}`;
  const { seed, violation } = first;
  return `${name} ${violation.invariant.padEnd(4)} seed ${String(seed).padStart(4)}, ${caught} of ${counted}, ${time}\n    ${violation.what.slice(0, 160)}`;
}

/** @param sample of so many seeds it was counted how many catch it; 0: of none */
export function markdown(catches: readonly Catch[], sample: number): string {
  const row = (...cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const counted = (text: string) => (sample > 0 ? [text] : []);
  const rows = catches.map(({ mutant: { name, rule }, first, caught, counted: of }) => {
    const by = first === undefined ? ["not caught", ""] : [first.violation.invariant, String(first.seed)];
    return row(name, rule, ...by, ...counted(`${caught} of ${of}`));
  });
  const head = ["Planted bug", "Breaks", "Caught by", "First seed", ...counted("Seeds")];
  return [row(...head), row(...head.map(() => "---")), ...rows].join("\n");
}
