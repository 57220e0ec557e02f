/** docs/security.md promises nothing that no test holds. */
import { expect, test } from "vitest";
import { linksOf, readPage, tableUnder } from "./markdown.ts";

const page = readPage("docs/security.md");

test.each([
  "Tenants, branches, devices",
  "Tokens of the reference server",
  "Requests that are made to hurt",
  "What one push may cost",
])("each promise under “%s” names its test", (heading) => {
  const rows = tableUnder(page, heading);
  expect(rows.length).toBeGreaterThan(3);
  // That they lead somewhere is looked after with all other links.
  for (const [promise = "", held = ""] of rows) {
    expect([promise, linksOf(held).map(({ target }) => target)]).toEqual([
      promise,
      expect.arrayContaining([expect.stringMatching(/^\.\.\/test\/.+\.test\.ts$/)]),
    ]);
  }
});

test("each file of test/security holds a promise", async () => {
  const { readdirSync } = await import("node:fs");
  const { root } = await import("../../scripts/entries.mjs");
  const files = readdirSync(`${root}test/security`).filter((name) => name.endsWith(".test.ts"));
  const linked = linksOf(page).map(({ target }) => target);
  expect(linked).toEqual(expect.arrayContaining(files.map((name) => `../test/security/${name}`)));
});
