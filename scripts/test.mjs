/**
 * `npm test [-- filters and options of Vitest]`: finds or brings the browsers and a PostgreSQL, then runs Vitest once.
 * What a filter leaves out is not prepared: dist is built only for the tests that look at it.
 *
 * Without a filter, `npm test` leaves out what takes long, test/**\/*.long.test.ts, and `npm run test:long` runs that alone.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { bringBrowser, browserVersion, findBrowser } from "./browser.mjs";
import { bringEngines } from "./engines.mjs";
import { root } from "./entries.mjs";
import { describePgbouncer, findPgbouncer, NO_PGBOUNCER } from "./pgbouncer.mjs";
import { bringPostgres, describePostgres } from "./postgres.mjs";

const LONG = "--long";
const isLong = process.argv.includes(LONG);
const given = process.argv.slice(2).filter((argument) => argument !== LONG);
const filters = given.filter((argument) => !argument.startsWith("-"));
// A test that is named is run, whatever it takes.
const projects = isLong ? ["--project=long"] : filters.length === 0 ? ["--project=!long"] : [];
const env = { ...process.env };

try {
  const browser = needsBrowser() ? bringBrowser() : findBrowser();
  if (browser !== undefined) {
    env.CHROME_PATH = browser;
    console.log(`browser: ${browser} ${browserVersion(browser)}`);
  }
} catch (error) {
  console.error(`browser: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

/** Not tested, because the platform can't have them: said before the run, and after it, when the rest has scrolled away. */
const untested = [];
try {
  const engines = needsEngines() ? bringEngines(["firefox", "webkit"]) : new Map();
  for (const [name, found] of engines) {
    if (typeof found !== "string") console.log(`browser: ${found.path} ${found.version}`);
    else untested.push(`!!! ${name} IS NOT TESTED: none was found, and none could be installed (${found})`);
  }
} catch (error) {
  console.error(`browser: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
for (const line of untested) console.error(line);

try {
  // Vitest's global setup finds it again, and starts it.
  if (needsPostgres()) console.log(`postgres: ${describePostgres(bringPostgres())}`);
} catch (error) {
  console.error(`postgres: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

if (needsPostgres()) {
  const program = findPgbouncer();
  const missing = `${NO_PGBOUNCER}. The tests behind a pooler DO NOT RUN`;
  console.log(`pgbouncer: ${program === undefined ? missing : describePgbouncer(program)}`);
}

const { status } = spawnSync(process.execPath, ["node_modules/vitest/vitest.mjs", "run", ...projects, ...given], {
  cwd: root,
  env,
  stdio: ["ignore", "inherit", "inherit"],
});
for (const line of untested) console.error(line);
process.exit(status ?? 1);

/** Whether the selection holds a test that runs in a browser or drives one: *.browser.test.ts, and all of test/browser. */
function needsBrowser() {
  return selects((path) => path.endsWith(".browser.test.ts") || /^test\/browser\/.*\.test\.ts$/.test(path));
}

/** Firefox and WebKit, for the tests of the engines beside Chromium. */
function needsEngines() {
  return selects((path) => /^test\/browser\/engines\/.*\.test\.ts$/.test(path));
}

function needsPostgres() {
  return selects((path) => path.endsWith(".postgres.test.ts"));
}

/**
 * Options may select anything, so they count as a yes.
 * @param {(path: string) => boolean} isOne
 */
function selects(isOne) {
  return readdirSync(`${root}test`, { recursive: true, encoding: "utf8" })
    .map((path) => `test/${path.replaceAll("\\", "/")}`)
    .filter((path) => filters.length > 0 || path.endsWith(".long.test.ts") === isLong)
    .filter(isOne)
    .some((path) => given.length === 0 || given.some((filter) => filter.startsWith("-") || path.includes(filter)));
}
