/**
 * `npm run check`: everything about the code that needs no running of it. A line for each step, the output of those that
 * fail, and a non-zero exit if any did.
 */
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { root } from "./entries.mjs";

/** @typedef {{ name: string, command: string, show?: boolean }} Step */

/**
 * Stages run one after another, the steps of a stage side by side.
 * @type {readonly (readonly Step[])[]}
 */
const stages = [
  [
    {
      name: "types",
      command: "tsc -p tsconfig.json --incremental --tsBuildInfoFile node_modules/.cache/tsconfig.tsbuildinfo",
    },
    {
      name: "lint and format",
      command: "biome check --error-on-warnings --diagnostic-level=warn --max-diagnostics=100",
    },
    { name: "unused code", command: "knip" },
    { name: "lock files", command: "node scripts/lock.mjs" },
    { name: "doc comments", command: "node scripts/documented.mjs" },
  ],
  [{ name: "build", command: "tsup" }],
  [
    { name: "package", command: "publint --strict" },
    { name: "package types", command: "attw --pack . --profile esm-only" },
    { name: "size", command: "node scripts/size.mjs", show: true },
  ],
];

/**
 * @param {Step} step
 * @returns {Promise<boolean>} whether it passed
 */
function run({ name, command, show = false }) {
  const start = performance.now();
  const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const child = spawn(command, {
    cwd: root,
    shell: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: path, FORCE_COLOR: "0" },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => {
      output += chunk;
    });
  }
  return new Promise((resolve) => {
    child.on("close", (status) => {
      const passed = status === 0;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${passed ? "✓" : "✗"} ${name.padEnd(16)} ${seconds.padStart(5)} s`);
      if (show || !passed) console.log(output.trimEnd().replace(/^/gm, "    "));
      resolve(passed);
    });
  });
}

let failed = 0;
for (const stage of stages) {
  const results = await Promise.all(stage.map(run));
  failed += results.filter((passed) => !passed).length;
  // Without a build there is nothing to look at.
  if (stage.some(({ name }) => name === "build") && results.includes(false)) break;
}
console.log(failed === 0 ? "check: everything passed" : `check: ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
