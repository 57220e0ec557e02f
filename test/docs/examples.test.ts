/**
 * The code in the documentation is code: every `ts` and `js` block of every page is compiled against the public names, and all
 * but those marked `no-run` are run. The `text` block that follows is what a run prints.
 *
 *     ```ts                      compiled and run; prints the `text` block that follows, or nothing where there is none
 *     ```ts no-run               compiled
 *     ```ts title="shop.ts"      under this name, so that the other blocks of the page can import it
 *     ```ts source="src/x.ts"    an excerpt: the lines stand in that file, indentation aside
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/entries.mjs";
import { type Block, blocksOf, pages } from "./markdown.ts";

interface Example extends Block {
  /** From the folder that all examples are written to: "docs.testing/line-12.ts". */
  readonly file: string;
  /** What a run prints; `undefined`: it is not run. */
  readonly output: string | undefined;
}

const isCode = ({ language }: Block) => language === "ts" || language === "js";

function examplesOf(page: string): readonly Example[] {
  const blocks = blocksOf(page);
  return blocks.flatMap((block, index): Example[] => {
    if (!isCode(block) || block.source !== undefined) return [];
    const next = blocks.slice(index + 1).find(({ language }) => language !== "sh");
    const printed = next?.language === "text" ? next.code : "";
    const name = block.title ?? `line-${block.line}.${block.language === "js" ? "mjs" : "ts"}`;
    const file = `${page.replace(/\.md$/, "").replaceAll("/", ".")}/${name}`;
    return [{ ...block, file, output: block.flags.has("no-run") ? undefined : printed }];
  });
}

const examples = pages().flatMap(examplesOf);
const excerpts = pages()
  .flatMap((page) => blocksOf(page))
  .filter(({ source }) => source !== undefined);

describe("the code in the documentation", () => {
  let folder: string;
  let errors: readonly string[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tillsync-docs-"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(project(examples.map(({ file }) => file))));
    for (const { file, code, line } of examples) {
      mkdirSync(join(folder, file, ".."), { recursive: true });
      // At the lines that it has on its page, so that an error names them.
      writeFileSync(join(folder, file), "\n".repeat(line - 1) + code);
    }
    const tsc = [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"];
    const { stdout } = spawnSync(process.execPath, tsc, { cwd: folder, encoding: "utf8" });
    errors = stdout.split(/\n(?=\S)/).filter((error) => error.trim() !== "");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is there", () => {
    expect(examples.length).toBeGreaterThan(10);
    expect(new Set(examples.map(({ file }) => file)).size).toBe(examples.length);
  });

  test.each(examples.map((example) => [`${example.page}:${example.line}`, example]))("%s compiles", (_, { file }) => {
    expect(errors.filter((error) => error.startsWith(`${file}(`))).toEqual([]);
  });

  test.concurrent.each(
    examples
      .filter(({ output }) => output !== undefined)
      .map((example) => [`${example.page}:${example.line}`, example]),
  )("%s prints what the page says", async (_, { file, output }) => {
    expect(await run(folder, file)).toEqual({ printed: output, complaints: "", status: 0 });
  });
});

test.each(excerpts.map((excerpt) => [`${excerpt.page}:${excerpt.line}`, excerpt]))(
  "%s is what the source says",
  (_, { source, code }) => {
    expect(withoutIndent(readFileSync(root + source, "utf8"))).toContain(withoutIndent(code));
  },
);

function withoutIndent(text: string): string {
  return text.replaceAll(/^ +/gm, "");
}

function project(files: readonly string[]): object {
  return {
    extends: join(root, "tsconfig.json"),
    // As strict as the project itself, but for the one rule that the types of other packages do not keep among themselves.
    compilerOptions: { moduleDetection: "force", noUnusedLocals: true, exactOptionalPropertyTypes: false },
    include: [],
    exclude: [],
    files,
  };
}

interface Run {
  readonly printed: string;
  readonly complaints: string;
  readonly status: number | null;
}

/** Public names mean the source here too: tsx reads the paths of the tsconfig that the examples are compiled with. */
function run(folder: string, file: string): Promise<Run> {
  const child = spawn(process.execPath, ["--import", join(root, "node_modules/tsx/dist/loader.mjs"), file], {
    cwd: folder,
    env: { ...process.env, TSX_TSCONFIG_PATH: join(folder, "tsconfig.json"), NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { printed: "", complaints: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text.printed += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text.complaints += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ ...text, status }));
  });
}
