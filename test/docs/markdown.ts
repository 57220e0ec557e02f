/** What the documentation's tests read out of a Markdown page: its fenced blocks, its headings and its links. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { root } from "../../scripts/entries.mjs";

export interface Block {
  /** The page's path from the project's root. */
  readonly page: string;
  /** The line of the page that the code begins on, from 1. */
  readonly line: number;
  readonly language: string;
  /** What follows the language: `no-run`, `title="shop.ts"`. */
  readonly flags: ReadonlySet<string>;
  readonly title: string | undefined;
  /** The file that an excerpt was taken from: `source="src/client/decide/backoff.ts"`. */
  readonly source: string | undefined;
  readonly code: string;
}

/** Every page of the project's own documentation. */
export function pages(): readonly string[] {
  const inFolder = (folder: string): string[] =>
    existsSync(root + folder)
      ? readdirSync(root + folder, { recursive: true, encoding: "utf8" })
          .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
          .filter((path) => path.endsWith(".md") && !path.includes("/node_modules/"))
      : [];
  const atRoot = readdirSync(root).filter((name) => name.endsWith(".md"));
  return [...atRoot, ...inFolder(".github"), ...inFolder("docs"), ...inFolder("examples")].sort();
}

export function readPage(page: string): string {
  return readFileSync(root + page, "utf8").replaceAll("\r\n", "\n");
}

/** A fence at the margin, or indented in a list. A block in a list is taken without its indentation. */
const FENCE = /^( *)(`{3,})([^`]*)$/;

export function blocksOf(page: string, text: string = readPage(page)): readonly Block[] {
  const blocks: Block[] = [];
  let open: { indent: number; fence: string; info: string; line: number; code: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const [, indent = "", fence = "", info = ""] = FENCE.exec(line) ?? [];
    if (open === undefined) {
      if (fence !== "") open = { indent: indent.length, fence, info: info.trim(), line: index + 2, code: [] };
    } else if (fence === open.fence && info === "") {
      blocks.push(block(page, open));
      open = undefined;
    } else open.code.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
  }
  if (open !== undefined) throw new Error(`${page}:${open.line - 1}: the block has no end`);
  return blocks;
}

function block(
  page: string,
  open: { readonly info: string; readonly line: number; readonly code: readonly string[] },
): Block {
  const [language = "", ...flags] = open.info.split(/\s+/);
  const named = (name: string) => new RegExp(`(?:^|\\s)${name}="([^"]+)"`).exec(open.info)?.[1];
  return {
    page,
    line: open.line,
    language,
    flags: new Set(flags),
    title: named("title"),
    source: named("source"),
    code: `${open.code.join("\n")}\n`,
  };
}

/** The page without its blocks and code spans, line by line: what is left is read as prose. */
export function proseOf(text: string): string {
  const lines = text.split("\n");
  let fence: string | undefined;
  const prose = lines.map((line) => {
    const found = FENCE.exec(line);
    if (fence === undefined && found !== null) fence = found[2];
    else if (fence !== undefined && found?.[2] === fence && found[3] === "") {
      fence = undefined;
      return "";
    }
    return fence === undefined ? line : "";
  });
  return prose.join("\n");
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, title = ""] of proseOf(text).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const slug = title
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

export interface Link {
  readonly line: number;
  readonly target: string;
}

/** Targets of links and images, also of `[text]: target` lines. */
export function linksOf(text: string): readonly Link[] {
  return proseOf(text)
    .split("\n")
    .flatMap((line, index) => {
      const prose = line.replaceAll(/`[^`]*`/g, "code");
      const inline = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)];
      const defined = [...prose.matchAll(/^\s*\[[^\]]+\]:\s+(\S+)/g)];
      return [...inline, ...defined].map(([, target = ""]) => ({ line: index + 1, target }));
    });
}

/** The rows of the first table under a heading, cell by cell. */
export function tableUnder(text: string, heading: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => /^#{1,6} /.test(line) && line.replace(/^#+ +/, "").trim() === heading);
  if (start < 0) throw new Error(`There is no heading "${heading}"`);
  const end = lines.findIndex((line, index) => index > start && /^#{1,6} /.test(line));
  const section = lines.slice(start + 1, end < 0 ? undefined : end);
  const rows = section.filter((line) => line.startsWith("|")).map(cellsOf);
  return rows.slice(2);
}

function cellsOf(line: string): readonly string[] {
  return line
    .replace(/^\||\|\s*$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}
