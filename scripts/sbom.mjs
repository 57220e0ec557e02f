/**
 * `npm run sbom`: writes `<name>-<version>.cdx.json`, the CycloneDX list of what `npm install` brings with the package, in the
 * versions that it was tested with. The release workflow keeps it beside the package.
 *
 * `npm sbom --omit dev` would not do: it leaves out each dependency that a tool needs as well, here zod
 * (https://github.com/npm/cli/issues/7909). So npm gets a copy of the lock file in which there are no tools.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./entries.mjs";
import { readLock } from "./lock.mjs";
import { npm } from "./npm.mjs";

/**
 * @typedef {object} Bom
 * @property {{ component: { name: string, version: string } }} metadata
 * @property {{ name: string, version: string, purl: string, hashes?: { alg: string, content: string }[] }[]} components
 * @property {{ ref: string, dependsOn: string[] }[]} dependencies
 */

/** @returns {Bom} asks no registry: everything is in the lock file */
export function makeBom() {
  const { devDependencies: _, ...manifest } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const lock = readLock("package-lock.json");
  const packages = Object.fromEntries(
    Object.entries(lock.packages)
      .filter(([path, { dev }]) => path !== "" && dev !== true)
      .map(([path, locked]) => [path, locked]),
  );
  const parent = mkdtempSync(join(tmpdir(), "tillsync-sbom-"));
  try {
    // npm takes the folder's name for that of the package.
    const folder = join(parent, manifest.name);
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    writeFileSync(
      join(folder, "package-lock.json"),
      JSON.stringify({ ...lock, packages: { "": manifest, ...packages } }),
    );
    const { status, stdout, stderr, error } = npm(
      ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"],
      folder,
    );
    if (status !== 0) throw new Error(`npm sbom failed: ${error?.message ?? stderr}`);
    return JSON.parse(stdout);
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const bom = makeBom();
  const { name, version } = bom.metadata.component;
  const file = `${name}-${version}.cdx.json`;
  writeFileSync(join(root, file), `${JSON.stringify(bom, null, 2)}\n`);
  console.log(`${file}: ${bom.components.length} packages`);
}
