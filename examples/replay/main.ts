/** `npm run replay -- <csv>`: a real day of a shop, sold again by tills that go offline and come back. */
import { readFile, writeFile } from "node:fs/promises";
import { replay } from "./replay.ts";
import { parseLog } from "./log.ts";
import { closingLine, details, table } from "./report.ts";
const [path = "", tills = "4", seed = "7", faults] = process.argv.slice(2);
const log = parseLog(await readFile(path, "utf8"));
const r = await replay({ log, tills: +tills, seed: +seed, faults: faults !== "no", progress: (p) => console.log(JSON.stringify(p)) });
for (const l of details(r.findings)) console.log(l);
const lines = log.invoices.flatMap((i) => i.lines);
for (const l of table(r.report, { invoices: log.invoices.length, lines: lines.length, revenueMinor: lines.reduce((s, l) => s + l.quantity * l.priceMinor, 0), units: lines.reduce((s, l) => s + l.quantity, 0) })) console.log(l);
console.log(r.kept, closingLine(r.report));
