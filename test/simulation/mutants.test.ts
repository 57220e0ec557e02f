/** That the simulation's alarm works: bugs that are planted are caught. All of them: `npm run sim:mutants`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../scripts/entries.mjs";
import { hunt } from "./mutants/hunt.ts";
import { mutants } from "./mutants/index.ts";

test("the text that each planted bug replaces is there, once", async () => {
  const strays: string[] = [];
  for (const { name, patches } of mutants)
    for (const { file, find } of patches) {
      const places = (await readFile(join(root, file), "utf8")).split(find).length - 1;
      if (places !== 1) strays.push(`${name}: ${places} times in ${file}: ${find}`);
    }
  expect(strays).toEqual([]);
});

test("no two have one name", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

test.each(["delete on send", "group torn by quarantine"])("%s is caught", { timeout: 120_000 }, async (name) => {
  const planted = mutants.find((mutant) => mutant.name === name);
  expect(planted).toBeDefined();
  if (planted) expect((await hunt(planted, { seeds: 20, sample: 0 })).first).toBeDefined();
});
