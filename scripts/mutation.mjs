/**
 * `npm run mutation -- src/schema [--quick] [--static] [--force]`: changes the code of a folder in one place at a time,
 * and runs its tests each time. A change that no test notices is a survivor. docs/mutation.md says what is left out.
 * Results are kept: the next run tries what has changed since, and what had survived if new tests reach it.
 */
import { copyFileSync, existsSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { Stryker } from "@stryker-mutator/core";
import { root } from "./entries.mjs";

/**
 * @typedef {Awaited<ReturnType<Stryker["runMutationTest"]>>[number]} Mutant
 *
 * @typedef {object} Suite
 * @property {string} folder of the sources, with all below it
 * @property {readonly string[]} own the tests that see every mutant
 * @property {readonly string[]} [wide] slower tests: they and those of `own` that are slow see the mutants that those
 * before did not find
 * @property {boolean} [shared] the tests of `own` share their modules, which is quicker: only where no test leaves
 * anything behind in one
 * @property {number} [leastScore] in percent
 */

/** One of these can take longer than all other tests of its folder: the properties, and chains of the greatest length. */
const SLOW = ["**/*.property.test.ts", "test/server/decide/bounds.test.ts"];

/**
 * The first that holds the folder is used.
 * @type {readonly Suite[]}
 */
const SUITES = [
  { folder: "src/schema", own: ["test/schema"], leastScore: 90 },
  { folder: "src/conflict", own: ["test/conflict"], leastScore: 90 },
  { folder: "src/protocol", own: ["test/protocol"], leastScore: 90 },
  { folder: "src/client/decide", own: ["test/client/decide"], wide: ["test/rules"], shared: true, leastScore: 90 },
  { folder: "src/server/decide", own: ["test/server/decide"], wide: ["test/rules"], shared: true, leastScore: 90 },
  { folder: "src/client", own: ["test/client"], wide: ["test/rules"] },
  { folder: "src/server/sql", own: ["test/server/stores"] },
  { folder: "src/server/sqlite", own: ["test/server/stores"] },
  { folder: "src/server/postgres", own: ["test/server/stores"] },
  { folder: "src/server/memory", own: ["test/server/stores"] },
  { folder: "src/server", own: ["test/server"], wide: ["test/rules", "test/security"] },
  { folder: "src/shared", own: ["test/shared"] },
  { folder: "src/storage", own: ["test/storage"] },
  { folder: "src/transport", own: ["test/transport"] },
];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    force: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    static: { type: "boolean", default: false },
  },
});
const place = relative(root, `${root}${positionals[0] ?? ""}`).replaceAll("\\", "/");
const suite = SUITES.find((one) => `${place}/`.startsWith(`${one.folder}/`));
if (suite === undefined || positionals.length !== 1 || !statSync(root + place, { throwIfNoEntry: false })) {
  console.error(
    `Expected one of these folders, or a folder or file in it: ${SUITES.map((one) => one.folder).join(", ")}`,
  );
  process.exit(1);
}

// Stryker's paths are relative to the working directory.
process.chdir(root);
/**
 * @typedef {object} Run
 * @property {readonly string[]} tests
 * @property {readonly string[]} leftOut patterns of files among them
 * @property {boolean} shared
 * @property {string} results the file of its results
 */

const results = `node_modules/.cache/stryker/${place.replaceAll("/", "-")}`;
const { own, wide = [], shared = false, leastScore = 0 } = suite;
/** @type {Run} */
const quick = { tests: own, leftOut: SLOW, shared, results: `${results}.quick.json` };
/** @type {Run} */
const whole = { tests: [...own, ...wide], leftOut: [], shared: false, results: `${results}.json` };
const hasTwo = wide.length > 0;
const start = performance.now();
if (values.force) for (const run of [quick, whole]) rmSync(run.results, { force: true });
// Without earlier results, the quick tests thin the mutants out. With them, a run with less tests would discard the
// verdicts of the others, so it has its own file.
if (hasTwo && !values.quick && !existsSync(whole.results)) {
  await mutate(quick);
  copyFileSync(quick.results, whole.results);
}
const last = hasTwo && values.quick ? quick : whole;
let mutants = await mutate(last);
// In a run of its own, because code that also runs later than the load of its module is quicker to judge by that.
if (values.static) mutants = await mutate(last, true);
process.exitCode = report(mutants) ? 0 : 1;

/**
 * @param {Run} run
 * @param {boolean} [isStatic] also changes what runs only while a module is loaded: each such change needs all tests
 * @returns {Promise<readonly Mutant[]>}
 */
function mutate({ tests, leftOut, shared, results }, isStatic = false) {
  console.log(`mutation: ${place}${isStatic ? ", static code" : ""}, with the tests in ${tests.join(", ")}`);
  process.env.MUTATION_TESTS = JSON.stringify({ tests, leftOut, shared: shared && !isStatic });
  const options = {
    mutate: [place.endsWith(".ts") ? place : `${place}/**/*.ts`],
    plugins: ["@stryker-mutator/vitest-runner", "./scripts/mutation-prose.mjs"],
    ignorers: ["prose"],
    testRunner: "vitest",
    vitest: { configFile: "vitest.mutation.config.ts", related: false },
    coverageAnalysis: "perTest",
    ignoreStatic: !isStatic,
    incremental: true,
    incrementalFile: results,
    concurrency: Math.max(1, Math.floor(availableParallelism() / 2)),
    // Beyond the time that the tests take without a change. A busy machine must not count as a change that was noticed.
    timeoutMS: 60_000,
    // Not in node_modules: Vite would take the sources there for packages.
    tempDirName: ".stryker-tmp",
    reporters: [process.stdout.isTTY ? "progress" : "progress-append-only"],
    logLevel: "warn",
    allowConsoleColors: false,
    // It recommends against static mutants, which were asked for.
    warnings: { slow: false },
  };
  // The types want an enum of a package that only Stryker depends on.
  return new Stryker(
    /** @type {ConstructorParameters<typeof Stryker>[0]} */ (/** @type {unknown} */ (options)),
  ).runMutationTest();
}

/**
 * @param {readonly Mutant[]} mutants
 * @returns {boolean} whether enough were found
 */
function report(mutants) {
  const of = (/** @type {Mutant["status"][]} */ ...statuses) =>
    mutants.filter(({ status }) => statuses.includes(status));
  const missed = of("Survived", "NoCoverage");
  for (const { fileName, location, mutatorName, replacement, status } of missed) {
    const line = `${relative(root, fileName)}:${location.start.line}:${location.start.column}`;
    const change = (replacement ?? "").replace(/\s+/g, " ").slice(0, 100);
    console.log(`${line} ${status === "Survived" ? "" : "(no test reaches it) "}${mutatorName}: ${change}`);
  }
  const kinds = [...new Set(missed.map(({ mutatorName }) => mutatorName))].sort();
  const counts = kinds.map((kind) => `${kind} ${missed.filter(({ mutatorName }) => mutatorName === kind).length}`);
  const found = of("Killed", "Timeout").length;
  const score = (100 * found) / Math.max(1, found + missed.length);
  const isEnough = score >= leastScore;
  console.log(`missed, by kind: ${counts.join(", ") || "none"}`);
  console.log(
    `${isEnough ? "✓" : "✗"} ${place}: ${found + missed.length} mutants, ${score.toFixed(1)} % found` +
      (leastScore > 0 ? ` (at least ${leastScore} %)` : "") +
      `: ${of("Killed").length} killed, ${of("Timeout").length} timed out, ${of("Survived").length} survived, ` +
      `${of("NoCoverage").length} without a test; not counted: ${of("Ignored").length} ignored, ` +
      `${of("RuntimeError", "CompileError").length} errors; ${((performance.now() - start) / 1000).toFixed(0)} s`,
  );
  return isEnough;
}
