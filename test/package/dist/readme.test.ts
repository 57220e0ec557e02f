/**
 * The README's first program, as a reader meets it: the packed package is installed in an empty folder, the program is written
 * down as it is printed, and prints what the page says.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../../../scripts/entries.mjs";
import { blocksOf, linksOf } from "../../docs/markdown.ts";

const blocks = blocksOf("README.md");
const program = blocks.find(({ language }) => language === "js");
const printed = blocks.find(({ language }) => language === "text");

/** Of an application that has nothing but the package, and a schema library of its own. */
const INSTALLED = ["tillsync", "zod"];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tillsync-readme-"));
  const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  npm(root, pack);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  writeFileSync(join(folder, "package.json"), "{}");
  // The dependencies are those of this checkout, linked: they satisfy what the package asks for, and no registry is asked.
  const { dependencies }: { dependencies: object } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const linked = Object.keys(dependencies).map((name) => join(root, "node_modules", name));
  npm(folder, [
    "install",
    "--offline",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--silent",
    `./${tarball}`,
    ...linked,
  ]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function npm(cwd: string, parameters: readonly string[]): void {
  // As a script of npm sees it; a test that is run without npm takes the one of the path.
  const cli = process.env.npm_execpath;
  const [command, ...before] = cli?.endsWith(".js") ? [process.execPath, cli] : ["npm"];
  execFileSync(command, [...before, ...parameters], {
    cwd,
    stdio: ["ignore", "ignore", "inherit"],
    shell: cli === undefined && process.platform === "win32",
  });
}

test("the first program runs as printed, in an empty folder", () => {
  if (program?.title === undefined || printed === undefined) throw new Error("The README has no first program");
  writeFileSync(join(folder, program.title), program.code);
  const { stdout, stderr, status } = spawnSync(process.execPath, [program.title], { cwd: folder, encoding: "utf8" });
  expect({ stdout, stderr, status }).toEqual({ stdout: printed.code, stderr: "", status: 0 });
});

test("the page says how to install what the program imports, and how to run it", () => {
  const imported = [...(program?.code ?? "").matchAll(/from "([^"/]+)/g)].map(([, name = ""]) => name);
  expect([...new Set(imported)].sort()).toEqual(INSTALLED);
  const commands = blocks.filter(({ language }) => language === "sh").map(({ code }) => code);
  expect(commands).toContain(`npm install ${INSTALLED.join(" ")}\n`);
  expect(commands).toContain(`node ${program?.title}\n`);
});

test("the package holds what a reader of it needs, and no sources", () => {
  const installed = readdirSync(join(folder, "node_modules", "tillsync")).sort();
  const pages = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md", "docs", "examples", "test"];
  expect(installed).toEqual([...pages, "dist", "package.json"].sort());
  expect(readdirSync(join(folder, "node_modules", "tillsync", "examples")).sort()).toEqual([
    "pos-web",
    "reference-server",
  ]);
  expect(readdirSync(join(folder, "node_modules", "tillsync", "test"), { recursive: true }).sort()).toEqual(
    [
      "fixtures",
      ...readdirSync(join(root, "test/fixtures"), { recursive: true }).map((path) => `fixtures/${path}`),
    ].sort(),
  );
});

test.each(["README.md", "CHANGELOG.md"])("%s of the package links to nothing that it has not", (page) => {
  const installed = join(folder, "node_modules", "tillsync");
  const targets = linksOf(readFileSync(join(installed, page), "utf8"))
    .map(({ target }) => target.replace(/#.*$/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
  expect(targets).not.toEqual([]);
  expect(targets.filter((target) => !existsSync(join(installed, target)))).toEqual([]);
});
