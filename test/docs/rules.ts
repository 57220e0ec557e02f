/**
 * What docs/rules.md must be, as data, so that each check can be tried on a page that breaks it.
 *
 *     ### C8.6 Journal first                                             a rule, and its tag
 *     - **Enforced by:** `selectNext` in [select.ts](../src/…)           each name stands in the file that follows it
 *     - **Shown by:** [c8-restores.test.ts](../test/…)                   each file names the tag: [C8.6], or (L11) if it is a law
 */
import { posix } from "node:path";

export interface Rule {
  readonly tag: string;
  readonly line: number;
  /** Without title and lists. */
  readonly text: string;
  readonly enforcedBy: readonly Place[];
  readonly shownBy: readonly Place[];
}

/** A link to a file, with the names of what is meant in it. */
export interface Place {
  /** From the project's root. */
  readonly path: string;
  readonly names: readonly string[];
}

export interface Book {
  readonly rules: readonly Rule[];
  /** Path from the project's root → text, of everything that may name a rule. */
  readonly files: ReadonlyMap<string, string>;
}

export interface Check {
  readonly title: string;
  faults(book: Book): readonly string[];
}

const TAG = "[CHLM]\\d{1,2}(?:\\.\\d{1,2})?";
const HEADING = new RegExp(`^### (${TAG})(?: |$)`);
const NAMED = new RegExp(`[[(](${TAG}(?:, ${TAG})*)[\\]):]`, "g");
const PAGE = "docs/rules.md";

export function readRules(page: string): readonly Rule[] {
  const lines = page.split("\n");
  return lines.flatMap((line, index) => {
    const tag = HEADING.exec(line)?.[1];
    if (tag === undefined) return [];
    const next = lines.findIndex((other, at) => at > index && /^#{1,6} /.test(other));
    const body = lines.slice(index + 1, next < 0 ? undefined : next).join("\n");
    const [text = "", ...lists] = body.split(/^- \*\*/m);
    const listed = (title: string) => lists.find((list) => list.startsWith(`${title}:**`)) ?? "";
    const rule = { tag, line: index + 1, text: text.trim() };
    return [{ ...rule, enforcedBy: placesIn(listed("Enforced by")), shownBy: placesIn(listed("Shown by")) }];
  });
}

function placesIn(list: string): readonly Place[] {
  return [...list.matchAll(/([^[]*)\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, before = "", target = ""]) => ({
    path: posix.normalize(posix.join(posix.dirname(PAGE), target)),
    names: [...before.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  }));
}

/** The tags in a text, each with its line. */
export function tagsIn(text: string): readonly { readonly tag: string; readonly line: number }[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      [...line.matchAll(NAMED)].flatMap(([, tags = ""]) => tags.split(", ").map((tag) => ({ tag, line: index + 1 }))),
    );
}

const names = (text: string | undefined, tag: string) => tagsIn(text ?? "").some((found) => found.tag === tag);

/** As a word of the code: `group` is neither in `regroup`, nor in a comment about a group. */
function has(text: string, name: string): boolean {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, "");
  const escaped = name.replaceAll(/[$.()[\]*+?^|\\{}]/g, "\\$&");
  return new RegExp(`(?<![\\w$])${escaped}(?![\\w$])`).test(code);
}

/** For each place of each rule, what is wrong with it. */
function faultsOfPlaces(
  rules: readonly Rule[],
  placesOf: (rule: Rule) => readonly Place[],
  faultOf: (rule: Rule, place: Place) => string | undefined,
): readonly string[] {
  return rules.flatMap((rule) =>
    placesOf(rule).flatMap((place) => {
      const fault = faultOf(rule, place);
      return fault === undefined ? [] : [`${rule.tag}: ${place.path} ${fault}`];
    }),
  );
}

export const checks: readonly Check[] = [
  {
    title: "every tag that is named is defined",
    faults({ rules, files }) {
      const defined = new Set(rules.map(({ tag }) => tag));
      return [...files].flatMap(([path, text]) =>
        tagsIn(text)
          .filter(({ tag }) => !defined.has(tag))
          .map(({ tag, line }) => `${path}:${line}: ${tag} is not defined in ${PAGE}`),
      );
    },
  },
  {
    title: "no two rules have one tag",
    faults: ({ rules }) =>
      rules
        .filter(({ tag }, index) => rules.findIndex((other) => other.tag === tag) < index)
        .map(({ tag, line }) => `${tag} is defined once more in line ${line}`),
  },
  {
    title: "a part has its whole",
    faults: ({ rules }) =>
      rules
        .filter(({ tag }) => tag.includes(".") && rules.every((other) => other.tag !== tag.split(".")[0]))
        .map(({ tag }) => `${tag} is a part of no rule`),
  },
  {
    title: "every rule says what holds",
    faults: ({ rules }) => rules.filter(({ text }) => text === "").map(({ tag }) => `${tag} says nothing`),
  },
  {
    title: "every rule is enforced by code that is there",
    faults: ({ rules, files }) => [
      ...rules.filter(({ enforcedBy }) => enforcedBy.length === 0).map(({ tag }) => `${tag} is enforced by nothing`),
      ...faultsOfPlaces(
        rules,
        ({ enforcedBy }) => enforcedBy,
        (_, place) => {
          const text = files.get(place.path);
          if (!/^(src|examples)\//.test(place.path) || text === undefined) return "is no file of the sources";
          const missing = place.names.find((name) => !has(text, name));
          return missing === undefined ? undefined : `has no \`${missing}\``;
        },
      ),
    ],
  },
  {
    title: "every rule is shown by tests that name it",
    faults: ({ rules, files }) => [
      ...rules
        .filter(({ shownBy }) => !shownBy.some(({ path }) => /^test\/.*\.test\.ts$/.test(path)))
        .map(({ tag }) => `${tag} is shown by no test`),
      ...faultsOfPlaces(
        rules,
        ({ shownBy }) => shownBy,
        ({ tag }, { path }) => {
          if (!files.has(path)) return "is no file";
          // The published contract suites are for others too: their titles carry no tags.
          return path.startsWith("src/") || names(files.get(path), tag) ? undefined : "does not name it";
        },
      ),
    ],
  },
  {
    title: "every rule is named by the code or its tests",
    faults({ rules, files }) {
      const code = [...files].filter(([path]) => /^(src|test|examples)\//.test(path));
      const named = new Set(code.flatMap(([, text]) => tagsIn(text).map(({ tag }) => tag)));
      return rules.filter(({ tag }) => !named.has(tag)).map(({ tag }) => `${tag} is named nowhere`);
    },
  },
];
