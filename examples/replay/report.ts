/** What the replay prints while it runs and at its end. Pure. */
import type { Findings } from "./compare.ts";
import type { Totals } from "./log.ts";
import type { Progress } from "./replay.ts";

export interface Report extends Totals {
  readonly tills: number;
  /** Server processes; several share one database. */
  readonly servers: number;
  /** Operations on the server, whatever their results. */
  readonly operations: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly duplicated: number;
  readonly diverged: number;
  readonly elapsedMs: number;
}

export function reportOf(
  findings: Findings,
  run: Pick<Report, "tills" | "servers" | "elapsedMs"> & { readonly faults: ReadonlyMap<string, number> },
): Report {
  const { invoices, lines, revenueMinor, units, operations, lost, duplicated, diverged } = findings;
  return {
    tills: run.tills,
    servers: run.servers,
    invoices,
    lines,
    revenueMinor,
    units,
    operations,
    faults: Object.fromEntries([...run.faults].sort(([a], [b]) => (a < b ? -1 : 1))),
    lost: lost.length,
    duplicated: duplicated.length,
    diverged: diverged.length,
    elapsedMs: Math.round(run.elapsedMs),
  };
}

/** Each of these is an error; the first ones are enough to look for the cause. */
const TOLD = 20;

export function details(findings: Findings): readonly string[] {
  return (["lost", "duplicated", "diverged"] as const).flatMap((kind) => {
    const all = findings[kind];
    const rest = all.length > TOLD ? [`${kind}: … and ${all.length - TOLD} more`] : [];
    return [...all.slice(0, TOLD).map((text) => `${kind}: ${text}`), ...rest];
  });
}

export function progressLine({ doing, written, receipts, synced, faults }: Progress): string {
  return `${doing}: ${written} of ${receipts} receipts written, ${synced} on the server, ${faults} faults`;
}

export function table(report: Report, expected: Totals): readonly string[] {
  const row = (name: string, log: string, server: string) =>
    `${name.padEnd(12)} ${log.padStart(14)} ${server.padStart(14)}`;
  const compared = (name: string, key: keyof Totals, show: (value: number) => string = String) =>
    row(name, show(expected[key]), show(report[key]));
  const faults = Object.entries(report.faults).map(([kind, times]) => `${kind} ${times}`);
  return [
    row("", "log", "server"),
    compared("invoices", "invoices"),
    compared("lines", "lines"),
    compared("revenue", "revenueMinor", money),
    compared("units", "units"),
    row("operations", "", String(report.operations)),
    "",
    `faults: ${faults.length === 0 ? "none" : faults.join(", ")}`,
    `${report.tills} tills, ${report.servers === 1 ? "1 server" : `${report.servers} servers`}, ${(report.elapsedMs / 1_000).toFixed(1)} s`,
  ];
}

export function closingLine({ lost, duplicated, diverged }: Report): string {
  return `lost ${lost}, duplicated ${duplicated}, diverged ${diverged}`;
}

/** 7560215 as 75602.15. */
function money(minor: number): string {
  const digits = String(Math.abs(minor)).padStart(3, "0");
  return `${minor < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
