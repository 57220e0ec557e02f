/** The lists that contributors meet in several places say the same. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "../../scripts/entries.mjs";
import { readPage } from "./markdown.ts";

/** What is emphasised at the beginning of the list's items. */
function itemsUnder(page: string, heading: string): readonly string[] {
  const [, section = ""] = readPage(page).split(new RegExp(`^## ${heading}\\n`, "m"));
  const [list = ""] = section.split(/^## /m);
  return [...list.matchAll(/^- (?:\[ \] )?\*\*(.+?)\*\*/gm)].map(([, item = ""]) => item.replace(/\.$/, ""));
}

test("the pull request template asks for what CONTRIBUTING.md says a change needs", () => {
  const needed = itemsUnder("CONTRIBUTING.md", "What a change needs");
  expect(needed.length).toBeGreaterThan(4);
  expect(itemsUnder(".github/pull_request_template.md", "What a change needs")).toEqual(needed);
});

test("each address of the repository is the one that package.json names", () => {
  const { repository, bugs, homepage } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const address = repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
  expect([bugs.url, homepage]).toEqual([`${address}/issues`, `${address}#readme`]);
  const pages = ["SECURITY.md", "docs/contributing/release.md", ".github/ISSUE_TEMPLATE/config.yml"];
  for (const page of pages) {
    const named = [...readPage(page).matchAll(/https:\/\/github\.com\/[\w.-]+\/[\w-]+/g)].map(([found]) => found);
    expect(new Set(named), page).toEqual(new Set([address]));
  }
});
