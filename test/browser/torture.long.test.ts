/** A short torture of the browser, and whether it finds what it is there to find. */
import { expect, test } from "vitest";
import { tortureBrowser } from "../torture/browser/torture.ts";
import { browserClosingLine, details } from "../torture/report.ts";

const seed = Number(process.env.SEED ?? 3);

test("a browser is killed while its page sells: what the page has said is saved is there, whole, and reaches the server once", async () => {
  const result = await tortureBrowser({ kills: 3, seed });
  expect(details(result.findings), `seed ${seed}`).toEqual([]);
  // What the browser itself has deleted is no finding: it is said apart.
  expect(browserClosingLine(result)).toMatch(/^kills 3, sales [1-9]\d*, lost \d+, doubled 0, half 0$/);
});

test("a page that says so before it is saved is caught", async () => {
  const { findings } = await tortureBrowser({ kills: 3, seed, manner: "early" });
  expect(findings.of("lost").join("\n"), `seed ${seed}`).toMatch(/sale \S+ was saved, and is in no queue/);
});

test("a page that saves in two transactions is caught", async () => {
  const { findings } = await tortureBrowser({ kills: 3, seed, manner: "torn" });
  expect(findings.of("half").join("\n"), `seed ${seed}`).toMatch(/has 2 of 3 operations/);
});
