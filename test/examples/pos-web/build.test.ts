/** The page that `npm start` builds: whole, once, and without anybody else's server. */
import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { bringPage } from "../../../examples/pos-web/build.ts";

let folder: string;
const read = (file: string) => readFileSync(folder + file, "utf8");
const files = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(folder.length))
    .sort();

beforeAll(async () => {
  folder = await bringPage(() => {});
});

test("a page whose sources have not changed is not built again", async () => {
  const said: string[] = [];
  expect(await bringPage((line) => said.push(line))).toBe(folder);
  expect(said).toEqual([]);
});

test("the service worker knows every file of the page, itself aside", () => {
  const [, text = ""] = /JSON\.parse\(("(?:[^"\\]|\\.)*")\)/.exec(read("/sw.js")) ?? [];
  const page = JSON.parse(JSON.parse(text)) as { version: string; files: string[] };
  expect(page.files).toEqual(files().filter((file) => file !== "/sw.js"));
  expect(page.version).toMatch(/^[0-9a-f]{16}$/);
});

describe("the policy is kept:", () => {
  test("no script, style or event handler stands in the page itself", () => {
    const html = read("/index.html");
    expect(html).not.toMatch(/<style|style=|\son\w+=|javascript:/);
    for (const [script] of html.matchAll(/<script[^>]*>[^<]*/g))
      expect(script).toMatch(/src="\/assets\/[^"]+"><?$|src="\/assets\/[^"]+">$/);
  });

  test("everything comes from its own server", () => {
    for (const file of files().filter((name) => /\.(html|css|webmanifest)$/.test(name))) {
      expect(read(file).match(/(?:https?:)?\/\/\w[^"')\s]*/g) ?? [], file).toEqual([]);
    }
  });
});
