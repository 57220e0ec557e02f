/** Provides the page for the server: builds it if there is none, or if its sources have changed. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { root } from "../../scripts/entries.mjs";

const FOLDER = `${root}examples/pos-web`;
const OUTPUT = `${FOLDER}/dist`;
/** What the page is built from. The lock file represents the packages. */
const SOURCES = ["examples/pos-web", "examples/reference-server/collections.ts", "src", "package-lock.json"];

/** @returns the folder with the built page */
export async function bringPage(report: (line: string) => void): Promise<string> {
  const version = digestOf(SOURCES);
  const folder = `${OUTPUT}/${version}`;
  if (existsSync(folder)) return folder;

  report("building the till's page…");
  const startedAt = performance.now();
  const [{ build }, { default: config }] = await Promise.all([import("vite"), import("./vite.config.ts")]);
  // Built in another folder, and moved when it is complete: other processes may be building or serving it.
  const draft = `${OUTPUT}/draft-${process.pid}`;
  await build({ ...config, configFile: false, build: { ...config.build, outDir: draft, emptyOutDir: true } });
  await rename(draft, folder).catch(async (error: unknown) => {
    if (!existsSync(folder)) throw error;
    await rm(draft, { recursive: true });
  });
  for (const name of readdirSync(OUTPUT)) {
    if (name !== version && !name.startsWith("draft-")) await rm(`${OUTPUT}/${name}`, { recursive: true, force: true });
  }
  report(`built in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return folder;
}

/** By content: a checkout, a copy or a restored backup changes times and nothing else. */
function digestOf(paths: readonly string[]): string {
  const digest = createHash("sha256");
  for (const path of paths.flatMap(filesOf))
    digest
      .update(`${path}\n`)
      .update(readFileSync(root + path))
      .update("\n");
  return digest.digest("hex").slice(0, 16);
}

function filesOf(path: string): readonly string[] {
  if (/\.\w+$/.test(path)) return [path];
  return readdirSync(root + path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length))
    .filter((file) => !file.startsWith("examples/pos-web/dist/"))
    .sort();
}
