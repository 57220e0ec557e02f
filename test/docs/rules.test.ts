/** docs/rules.md defines every tag that code, tests and pages name, and each rule there is enforced and shown. */
import { describe, expect, test } from "vitest";
import { mutants } from "../simulation/mutants/index.ts";
import { readSources } from "../support/sources.ts";
import { pages, readPage } from "./markdown.ts";
import { type Book, checks, readRules, tagsIn } from "./rules.ts";

const rules = readRules(readPage("docs/rules.md"));

describe("the page and the code agree", () => {
  const sources = ["src", "test", "examples"].flatMap((folder) => [...readSources(folder)]);
  // The rules that are made up here are none.
  const code = sources.filter(([path]) => !path.startsWith("test/docs/"));
  const others = pages().filter((page) => page !== "docs/rules.md");
  const book: Book = { rules, files: new Map([...code, ...others.map((page) => [page, readPage(page)] as const)]) };

  for (const { title, faults } of checks) {
    test(title, () => {
      expect(rules.length).toBeGreaterThan(40);
      expect(faults(book)).toEqual([]);
    });
  }
});

describe("the simulation's invariants", () => {
  const explained = new Set(readPage("docs/reliability.md").match(/\b[A-Z]\d+\b/g));
  const tags = new Set(rules.map(({ tag }) => tag));
  const sources = [...readSources("test/simulation")].map(([, text]) => text).join("\n");
  const reported = [...sources.matchAll(/(?:violation\(\s*|invariant: |name: )"([A-Z]\d+)"/g)].map(
    ([, name = ""]) => name,
  );

  test("are explained in docs/reliability.md, and have the name of no rule", () => {
    expect(new Set(reported).size).toBeGreaterThan(10);
    expect(reported.filter((name) => !explained.has(name) || tags.has(name))).toEqual([]);
  });

  test("or a rule: each planted bug breaks one of them", () => {
    const known = new Set([...tags, ...reported]);
    expect(mutants.filter(({ rule }) => !known.has(rule)).map(({ name, rule }) => `${name}: ${rule}`)).toEqual([]);
  });
});

/** A page and a house in which everything is right. Each case below changes one of them. */
const sound = {
  page: `# Rules

## Critical

### C1 Whole

A sale is stored whole.

- **Enforced by:** \`group\` and \`#bind\` in [client/mint.ts](../src/client/mint.ts), the law of [server/store.ts](../src/server/store.ts)
- **Shown by:** [rules/c1.test.ts](../test/rules/c1.test.ts), and for every store by [cases.ts](../src/server/testing/cases.ts)

### C1.1 Whole on the server too

So it is on the server.

- **Enforced by:** [server/store.ts](../src/server/store.ts)
- **Shown by:** [rules/c1.test.ts](../test/rules/c1.test.ts)

## Laws

### L2 Once

An operation has one effect.

- **Enforced by:** [server/store.ts](../src/server/store.ts)
- **Shown by:** [server/store.test.ts](../test/server/store.test.ts)
`,
  files: {
    "src/client/mint.ts": `/** Binds them [C1]. */ class Mint { group() { this.#bind(); } }`,
    "src/server/store.ts": `/** Once (L2): see [C1.1]. */`,
    "src/server/testing/cases.ts": `contractCase("a transaction is whole", () => {});`,
    "test/rules/c1.test.ts": `/** [C1] */ test("whole [C1.1]", () => {});`,
    "test/server/store.test.ts": `describe("each id once (L2)", () => {});`,
    "docs/concepts.md": "A sale is whole [C1].",
  } as Readonly<Record<string, string>>,
};

const bookOf = ({ page, files }: typeof sound): Book => ({
  rules: readRules(page),
  files: new Map(Object.entries(files)),
});

describe("the checks notice", () => {
  test("nothing in a sound page", () => {
    for (const { title, faults } of checks) expect(faults(bookOf(sound)), title).toEqual([]);
  });

  const page = (from: string | RegExp, to: string) => ({ ...sound, page: sound.page.replace(from, to) });
  const file = (path: string, text: string) => ({ ...sound, files: { ...sound.files, [path]: text } });
  const without = (path: string) => ({
    ...sound,
    files: Object.fromEntries(Object.entries(sound.files).filter(([other]) => other !== path)),
  });

  const broken: Readonly<Record<string, readonly (readonly [book: typeof sound, ...faults: string[]])[]>> = {
    "every tag that is named is defined": [
      [page("### C1.1", "### C1.2"), "src/server/store.ts:1: C1.1 ", "test/rules/c1.test.ts:1: C1.1 "],
      [page("### L2 Once", "### Once"), "src/server/store.ts:1: L2 ", "test/server/store.test.ts:1: L2 "],
      [file("src/client/loop.ts", "\n// As [C1, C3] say."), "src/client/loop.ts:2: C3 "],
      [file("src/client/loop.ts", "/** Waits (L1: never for good). */"), "src/client/loop.ts:1: L1 "],
      [file("test/loop.test.ts", `test("goes on [H2]")`), "test/loop.test.ts:1: H2 "],
      [file("docs/till.md", "It is kept [M12]."), "docs/till.md:1: M12 "],
    ],
    "no two rules have one tag": [[page("### C1.1 Whole", "### C1 Whole"), "C1 "]],
    "a part has its whole": [[page("### C1.1 Whole", "### C2.1 Whole"), "C2.1 "]],
    "every rule says what holds": [[page("An operation has one effect.", ""), "L2 "]],
    "every rule is enforced by code that is there": [
      [page(/- \*\*Enforced by:\*\* \[.*\n(?=.*\n\n## Laws)/, ""), "C1.1 is enforced by nothing"],
      [page(/(?<=one effect\.\n\n- \*\*Enforced by:\*\* )\[.*/, "everything"), "L2 is enforced by nothing"],
      [without("src/client/mint.ts"), "C1: src/client/mint.ts is no file"],
      [
        page("../src/client/mint.ts", "../test/rules/c1.test.ts"),
        "C1: test/rules/c1.test.ts is no file of the sources",
      ],
      [file("src/client/mint.ts", "regroup(); this.#bind(); // the group"), "C1: src/client/mint.ts has no `group`"],
      [file("src/client/mint.ts", "group(); bind();"), "C1: src/client/mint.ts has no `#bind`"],
    ],
    "every rule is shown by tests that name it": [
      [page(/- \*\*Shown by:\*\* .*store\.test.*\n/, ""), "L2 is shown by no test"],
      [page("[server/store.test.ts](../test/server/store.test.ts)", "hope"), "L2 is shown by no test"],
      [page(/(?<=Shown by:\*\* )\[rules.*, and for/, "for"), "C1 is shown by no test"],
      [without("test/server/store.test.ts"), "L2: test/server/store.test.ts is no file"],
      [file("test/server/store.test.ts", "// L2"), "L2: test/server/store.test.ts does not name it"],
      [file("test/rules/c1.test.ts", "// [C1.1] [C10]"), "C1: test/rules/c1.test.ts does not name it"],
      [without("src/server/testing/cases.ts"), "C1: src/server/testing/cases.ts is no file"],
    ],
    "every rule is named by the code or its tests": [
      [page("## Laws", "### C2 Forgotten\n\nWas true once.\n\n## Laws"), "C2 "],
      [{ ...page("## Laws", "### C2 Forgotten\n\n## Laws"), files: { ...sound.files, "docs/till.md": "[C2]" } }, "C2 "],
    ],
  };

  for (const { title, faults } of checks) {
    test(`where it is broken: ${title}`, () => {
      expect(broken[title]).toBeDefined();
      for (const [book, ...expected] of broken[title] ?? [])
        expect(faults(bookOf(book))).toEqual(expected.map((fault) => expect.stringContaining(fault)));
    });
  }

  test("a tag only where it is written as one", () => {
    const text = `[C8.6] (L2, L11) [C2, C3, H1] (L4: none) [ C1 ] C1 "M12 5h14" [C1x] (M1 and M2) [c1] items[C9]`;
    expect(tagsIn(text).map(({ tag }) => tag)).toEqual(["C8.6", "L2", "L11", "C2", "C3", "H1", "L4", "C9"]);
  });
});
