/** `npm run torture:browser`: what a page has said is saved survives the end of its browser, and reaches the server once. */
import { bringBrowser, browserVersion } from "../../../scripts/browser.mjs";
import { BROWSER_USAGE, parseBrowserCommandLine, UsageError } from "../command-line.ts";
import { browserClosingLine, details, droppedLines } from "../report.ts";
import { tortureBrowser } from "./torture.ts";

const WRONG = 1;
const MISUSED = 2;

async function main(args: readonly string[]): Promise<number> {
  const line = parseBrowserCommandLine(args);
  if (line === "help") {
    process.stdout.write(BROWSER_USAGE);
    return 0;
  }
  const browser = bringBrowser();
  process.stdout.write(`seed ${line.seed}, ${browser} ${browserVersion(browser)}\n`);
  const result = await tortureBrowser({ ...line, progress: (text) => process.stdout.write(`${text}\n`) });
  for (const text of details(result.findings)) process.stdout.write(`${text}\n`);
  if (!result.findings.isClean) process.stdout.write(`again with --seed ${line.seed}\n`);
  for (const text of droppedLines(result)) process.stdout.write(`${text}\n`);
  process.stdout.write(`${browserClosingLine(result)}\n`);
  return result.findings.isClean && result.dropped.unsent === 0 ? 0 : WRONG;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isUsage = error instanceof UsageError;
    process.stderr.write(`${isUsage ? error.message : error instanceof Error ? error.stack : error}\n`);
    process.exitCode = isUsage ? MISUSED : WRONG;
  },
);
