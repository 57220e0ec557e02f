/** docs/protocol.md shows the messages that the tests read, and says the numbers that the code has. */
import { readFileSync } from "node:fs";
import { LIMITS, MESSAGE_DEPTH, PROBLEM_STATUS } from "tillsync/protocol";
import { describe, expect, test } from "vitest";
import { literalsOf } from "../support/declared.ts";
import { fixtureNames, fixtureText } from "./fixtures.ts";

const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
/** Tables without the spaces that line their columns up. */
const tables = page.replaceAll(/ {2,}/g, " ");
const blocks = [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, info = "", text = ""]) => ({
  info,
  name: /^json title="(.+)\.json"$/.exec(info)?.[1] ?? "",
  text,
}));

describe("the specification", () => {
  test("shows no message that is not a fixture", () => {
    expect(blocks.length).toBeGreaterThan(20);
    expect(blocks.filter(({ name }) => !fixtureNames.includes(name)).map(({ info }) => info)).toEqual([]);
  });

  test.each(blocks.map(({ name, text }) => [name, text]))("shows %s as it is", (name, text) => {
    expect(text).toBe(fixtureText(name));
  });

  test("names every code of a whole request with its status", () => {
    const rows = [...tables.matchAll(/^\| `(\w+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [code, Number(status)]);
    expect(Object.fromEntries(rows)).toEqual(PROBLEM_STATUS);
  });

  describe("names every code of an operation, where it can come", () => {
    const paragraph = (start: string) => page.slice(page.indexOf(start)).split("\n\n")[0] ?? "";
    const codesIn = (text: string) => [...text.matchAll(/`([a-z_]+)`/g)].map(([, code = ""]) => code);
    const sorted = (codes: readonly string[]) => [...codes].sort();
    const CODES = "src/protocol/codes.ts";

    test("verdicts", () => {
      const ofEdits = page.slice(page.indexOf("**`rejected`**"), page.indexOf("**`quarantined`**"));
      const rejected = [...ofEdits.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell = ""]) => codesIn(cell));
      const quarantined = codesIn(paragraph("**`quarantined`**").split("Codes:")[1] ?? "");
      const retry = codesIn(paragraph("`retry` says").split("Codes:")[1] ?? "");
      // Which of them an edit can get and which a fact: the decisions' own tests know. No edit is lost to a bug of the shop's.
      expect(rejected).not.toContain("policy_failed");
      const said = new Set([...rejected, ...quarantined, ...retry]);
      expect(sorted([...said])).toEqual(sorted(literalsOf(CODES, "OperationErrorCode")));
    });

    test("flags", () => {
      const [, own = ""] = /The protocol's own are ([^;]+);/.exec(paragraph("- `flags`")) ?? [];
      expect(sorted(codesIn(own))).toEqual(sorted(literalsOf(CODES, "OperationFlagCode")));
    });
  });

  test("links to its own sections only where they are", () => {
    const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-"),
    );
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.filter((link) => !anchors.includes(String(link)))).toEqual([]);
  });

  test("says the limits that the code keeps", () => {
    const kib = (bytes: number) => bytes / 1_024;
    const said = [
      ["an operation", `${kib(LIMITS.operationBytes)} KiB`],
      ["a transaction", `${LIMITS.transactionOperations} operations, ${kib(LIMITS.transactionBytes)} KiB`],
      [
        "a push",
        `${LIMITS.pushOperations} operations; ${kib(kib(LIMITS.pushBytes))} MiB as it is sent, ${kib(kib(LIMITS.pushInflatedBytes))} MiB inflated`,
      ],
      [
        "a pull page",
        `${LIMITS.pullChanges.toLocaleString("en")} changes of all collections together, or ${kib(kib(LIMITS.pullBytes))} MiB; always at least one change`,
      ],
    ];
    expect(said.filter(([what, limit]) => !tables.includes(`| ${what} | ${limit} |`))).toEqual([]);
    expect(page).toContain(`${LIMITS.jsonDepth} for the shop's data`);
    expect(page).toContain(`${MESSAGE_DEPTH - LIMITS.jsonDepth} more for the message around it`);
  });
});
