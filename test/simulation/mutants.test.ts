/** That the simulation's alarm works: bugs that are planted are caught. All of them: `npm run sim:mutants`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../scripts/entries.mjs";
import { hunt } from "./mutants/hunt.ts";
import { mutants } from "./mutants/index.ts";
import { mutant, patch } from "./mutants/mutant.ts";
import { unknownNames } from "./mutants/names.ts";

test("the text that each planted bug replaces is there, once", async () => {
  const strays: string[] = [];
  for (const { name, patches } of mutants)
    for (const { file, find } of patches) {
      const places = (await readFile(join(root, file), "utf8")).split(find).length - 1;
      if (places !== 1) strays.push(`${name}: ${places} times in ${file}: ${find}`);
    }
  expect(strays).toEqual([]);
});

test("each planted bug uses only names that are there", { timeout: 300_000 }, () => {
  expect(unknownNames(mutants)).toEqual([]);
});

test("a bug that would be caught by its own mistake is noticed", () => {
  const stale = patch("client/decide/backoff.ts", "return Math.round(", "return renamedSince(");
  expect(unknownNames([mutant("stale", "V2", stale)])).toEqual(["stale: Cannot find name 'renamedSince'."]);
});

test("no two have one name", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

test.each(["delete on send", "group torn by quarantine"])("%s is caught", { timeout: 120_000 }, async (name) => {
  const planted = mutants.find((one) => one.name === name);
  expect(planted).toBeDefined();
  if (planted) expect((await hunt(planted, { seeds: 20, sample: 0 })).first).toBeDefined();
});
