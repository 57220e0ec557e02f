/**
 * The public entries of the package, read from the `exports` of package.json: the one list that the build, the tests'
 * aliases and the package's own tests are derived from.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Entry
 * @property {string} specifier what an application imports: "tillsync/server/hono"
 * @property {string} output its path under dist, without an extension: "server/hono/index"
 * @property {string} source its source: "src/server/hono/index.ts"
 */

export const root = fileURLToPath(new URL("..", import.meta.url));

/** @returns {Entry[]} */
export function publicEntries() {
  /** @type {{ name: string, exports: Record<string, string | { types: string, default: string }> }} */
  const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  return Object.entries(manifest.exports).flatMap(([subpath, target]) => {
    if (typeof target === "string") return [];
    const output = target.default.replace(/^\.\/dist\//, "").replace(/\.js$/, "");
    return [{ specifier: manifest.name + subpath.slice(1), output, source: `src/${output}.ts` }];
  });
}

/** Vite's aliases under which the tests import the public names and get the source. */
export function sourceAliases() {
  return publicEntries().map(({ specifier, source }) => ({
    find: new RegExp(`^${specifier}$`),
    replacement: root + source,
  }));
}
