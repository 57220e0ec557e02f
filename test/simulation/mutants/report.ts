/** What a person reads of the planted bugs. */
import type { Catch } from "./hunt.ts";

const WIDTH = 62;
/** The head of docs/planted-bugs.md. */
const PAGE = `# Planted bugs

This page is generated. Don't edit it by hand; make it again with:

\`\`\`sh
npm run --silent sim:mutants -- --seeds 3000 --sample 0 --markdown > docs/planted-bugs.md
npm run format
\`\`\`

Each row is a bug that is planted in the simulated source, as [Reliability](reliability.md#planted-bugs) describes. The bugs are defined in [test/simulation/mutants](../test/simulation/mutants).

- "Breaks" names the rule of the protocol (C, H) or the [invariant](reliability.md#what-must-hold) that the bug breaks.
- "Caught by" names the invariant that was found violated.
- "First seed" is the first seed, from 1 on, whose run was violated.
`;

export function line({ mutant, first, caught, counted, seconds }: Catch): string {
  const name = mutant.name.padEnd(WIDTH);
  const time = `${seconds.toFixed(0)} s`;
  if (first === undefined) return `${name} NOT CAUGHT, ${time}`;
  const { seed, violation } = first;
  return `${name} ${violation.invariant.padEnd(4)} seed ${String(seed).padStart(4)}, ${caught} of ${counted}, ${time}\n    ${violation.what.slice(0, 160)}`;
}

/**
 * The page docs/planted-bugs.md, before the formatter aligns its columns.
 *
 * @param sample of so many seeds it was counted how many catch it; 0: of none
 */
export function markdown(catches: readonly Catch[], sample: number): string {
  const row = (...cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const counted = (text: string) => (sample > 0 ? [text] : []);
  const rows = catches.map(({ mutant: { name, rule }, first, caught, counted: of }) => {
    const by = first === undefined ? ["not caught", ""] : [first.violation.invariant, String(first.seed)];
    return row(name, rule, ...by, ...counted(`${caught} of ${of}`));
  });
  const head = ["Planted bug", "Breaks", "Caught by", "First seed", ...counted("Seeds")];
  return [PAGE, row(...head), row(...head.map(() => "---")), ...rows].join("\n");
}
