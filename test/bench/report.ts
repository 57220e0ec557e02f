/** Figures as a table for people. The reference is the same work by hand; of growth, the same operation at the smallest size. Pure. */
import { type Bound, type Figure, type Spread, type Unit, verdictOf } from "./figures.ts";

const HEAD = ["", "tillsync", "reference", "ratio", "bound", ""] as const;

/** One section for each bench, in the order of the figures. */
export function table(figures: readonly Figure[]): readonly string[] {
  const rows = figures.map((figure) => [
    figure.name,
    shown(figure.ours, figure.unit),
    figure.reference === undefined ? "" : shown(figure.reference, figure.unit),
    figure.ratio === undefined ? "" : ratioText(figure.ratio),
    figure.bound === undefined ? "" : boundText(figure.bound, figure.unit),
    [verdictOf(figure), figure.note].filter((part) => part !== undefined && part !== "").join("; "),
  ]);
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 || column === HEAD.length - 1
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  const lines: string[] = [line(HEAD)];
  for (const [at, figure] of figures.entries()) {
    if (figure.bench !== figures[at - 1]?.bench) lines.push("", figure.bench);
    lines.push(line(rows[at] ?? []));
  }
  return lines;
}

/** The same as Markdown, for `docs/performance.md`. */
export function markdown(figures: readonly Figure[]): readonly string[] {
  const benches = [...new Set(figures.map(({ bench }) => bench))];
  return benches.flatMap((bench) => [
    `### ${bench}`,
    "",
    "| | tillsync | reference | ratio | bound | |",
    "| --- | ---: | ---: | ---: | ---: | --- |",
    ...figures.filter((figure) => figure.bench === bench).map(markdownRow),
    "",
  ]);
}

function markdownRow(figure: Figure): string {
  const { name, ours, reference, ratio, bound, unit, note } = figure;
  const cells = [
    name,
    shown(ours, unit),
    reference === undefined ? "" : shown(reference, unit),
    ratio === undefined ? "" : ratioText(ratio),
    bound === undefined ? "" : boundText(bound, unit),
    [verdictOf(figure) === "missed" ? "**missed**" : verdictOf(figure), note ?? ""].filter(Boolean).join("; "),
  ];
  return `| ${cells.join(" | ")} |`;
}

export function summary(figures: readonly Figure[]): string {
  const verdicts = figures.map(verdictOf);
  const count = (verdict: string) => verdicts.filter((one) => one === verdict).length;
  return `bounds: ${count("met")} met, ${count("missed")} missed`;
}

/** The middle, and behind it how far the rounds lay apart. */
function shown({ median, low, high, rounds }: Spread, unit: Unit): string {
  const range = rounds > 1 && low !== high ? ` (${digits(low)}–${digits(high)})` : "";
  return `${digits(median)} ${unit}${range}`;
}

function ratioText({ median, low, high, rounds }: Spread): string {
  if (!Number.isFinite(median) || median > 1e6) return "–";
  const range = rounds > 1 && low !== high ? ` (${low.toFixed(2)}–${high.toFixed(2)})` : "";
  return `${median.toFixed(2)}${range}`;
}

function boundText({ of, most, least }: Bound, unit: Unit): string {
  const sign = most === undefined ? "≥" : "≤";
  const value = most ?? least ?? Number.NaN;
  return of === "ratio" ? `${sign} ${value.toFixed(2)} ×` : `${sign} ${digits(value)} ${unit}`;
}

function digits(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString("en-GB");
  if (value >= 100) return value.toFixed(0);
  if (Number.isInteger(value)) return String(value);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
