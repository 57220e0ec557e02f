import { existsSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { publicEntries, root } from "../../scripts/entries.mjs";
import tsup from "../../tsup.config.ts";
import { namesExportedBy, typesExportedBy } from "../support/declared.ts";
import { readSources } from "../support/sources.ts";

const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const entries = publicEntries();

describe("the exports of package.json", () => {
  for (const { specifier, source } of entries) {
    test(`${specifier} has a source`, () => {
      expect(existsSync(root + source), source).toBe(true);
    });
  }

  test("are what the build makes, no more and no less", () => {
    expect(tsup).toMatchObject({ entry: Object.fromEntries(entries.map(({ output, source }) => [output, source])) });
  });

  test("name every index.ts of src: an entry that is not exported would be unreachable", () => {
    const sources = [...readSources("src").keys()].filter((path) => path.endsWith("/index.ts"));
    expect(sources.sort()).toEqual(entries.map(({ source }) => source).sort());
  });

  test("give types and code of the same file, under the name of their folder", () => {
    for (const [subpath, target] of Object.entries(manifest.exports)) {
      if (subpath === "./package.json") continue;
      const file = `./dist/${subpath === "." ? "" : `${subpath.slice(2)}/`}index`;
      expect(target, subpath).toEqual({ types: `${file}.d.ts`, default: `${file}.js` });
      // `types` stands first: conditions are tried in their order.
      expect(Object.keys(target as object)).toEqual(["types", "default"]);
    }
  });

  test("are where tsconfig.json leads the public names", () => {
    const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
    expect(config.compilerOptions.paths).toEqual({ tillsync: ["./src/index.ts"], "tillsync/*": ["./src/*/index.ts"] });
    for (const { specifier, source } of entries) {
      const folder = specifier.slice("tillsync".length);
      expect(source, specifier).toBe(`src${folder}/index.ts`);
    }
  });
});

describe("whoever writes an adapter finds every type of its port under a public name", () => {
  test.each([
    ["src/client/ports/connectivity.ts", "src/index.ts"],
    ["src/client/ports/coordinator.ts", "src/index.ts"],
    ["src/client/ports/storage.ts", "src/index.ts"],
    ["src/client/ports/transport.ts", "src/index.ts"],
    ["src/server/ports/rows.ts", "src/server/index.ts"],
    ["src/server/ports/store.ts", "src/server/index.ts"],
    ["src/testing/storage-contract.ts", "src/testing/index.ts"],
    ["src/testing/transport-contract.ts", "src/testing/index.ts"],
  ])("%s in %s", (port, entry) => {
    const declared = typesExportedBy(port);
    expect(declared).not.toEqual([]);
    const exported = namesExportedBy(entry);
    expect(declared.filter((name) => !exported.includes(name))).toEqual([]);
  });
});

test("a frontend that installs tillsync gets these packages and nothing else", () => {
  expect(Object.keys(manifest.dependencies)).toEqual(["eventemitter3", "idb", "ky", "zod"]);
  for (const peer of Object.keys(manifest.peerDependencies)) {
    expect(manifest.peerDependenciesMeta[peer], peer).toEqual({ optional: true });
  }
});
