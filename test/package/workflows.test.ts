/** What the workflows may bring along, and what a release must not be published without. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "../../scripts/entries.mjs";

const folder = `${root}.github/workflows`;
const workflows = readdirSync(folder);
/** The steps that run something, in their order. */
const commands = (name: string) =>
  readFileSync(`${folder}/${name}`, "utf8")
    .split("\n")
    .flatMap((line) => /^\s+(?:- )?(?:run: )?((?:npm|npx|node) .*)$/.exec(line)?.[1] ?? []);

test.each(workflows)("%s pins each action by its commit, and says which version that is", (name) => {
  const used = readFileSync(`${folder}/${name}`, "utf8").match(/^.*\buses:.*$/gm) ?? [];
  expect(used).not.toEqual([]);
  const pinned = /^\s+- uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
  expect(used.filter((line) => !pinned.test(line))).toEqual([]);
});

test.each(workflows)("%s checks the lock files before each installation, and installs nothing else of npm", (name) => {
  const all = commands(name);
  expect(all).toContain("npm ci --no-audit --no-fund");
  const before = all.flatMap((command, index) => (command.startsWith("npm ci") ? [all[index - 1]] : []));
  expect(before.filter((command) => command !== "node scripts/lock.mjs")).toEqual([]);
  expect(all.filter((command) => /^npm (i|install|exec)\b|^npx (?!--no )/.test(command))).toEqual([]);
});

test("a release is audited, tested and listed before it is published, with provenance", () => {
  expect(commands("release.yml")).toEqual([
    "node scripts/lock.mjs",
    "npm ci --no-audit --no-fund",
    "npm audit signatures",
    "npm run audit",
    "npm test",
    "npm run test:long",
    "npm run sbom",
    "npm publish --ignore-scripts=false --provenance --access public",
  ]);
});
