/** The worker as one file, with the production code in it as it is but for its limits, or with one deliberate mistake. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import * as esbuild from "esbuild";
import { root } from "../../scripts/entries.mjs";
import { limitPatches } from "./limits.ts";

/** A mistake in the source: this text, which is there exactly once, reads otherwise. */
export interface Patch {
  /** From the root of the project. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Bundle {
  readonly path: string;
  remove(): Promise<void>;
}

export async function bundleWorker(patches: readonly Patch[] = []): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), "tillsync-simulation-"));
  const path = join(folder, "worker.mjs");
  const applied = new Set<Patch>();
  const all = [...limitPatches, ...patches];
  await esbuild.build({
    entryPoints: [join(root, "test/simulation/worker.ts")],
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    outfile: path,
    logLevel: "silent",
    // Some dependency asks for a built-in by `require`.
    banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);` },
    plugins: [patching(all, applied)],
  });
  const missed = all.filter((patch) => !applied.has(patch));
  if (missed.length > 0) throw new Error(`No file of the simulation is ${missed.map(({ file }) => file).join(", ")}.`);
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

function patching(patches: readonly Patch[], applied: Set<Patch>): esbuild.Plugin {
  return {
    name: "mistakes",
    setup(build) {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        const file = relative(root, path);
        const own = patches.filter((patch) => patch.file === file);
        if (own.length === 0) return undefined;
        let contents = await readFile(path, "utf8");
        for (const patch of own) {
          const places = contents.split(patch.find).length - 1;
          if (places !== 1) throw new Error(`Expected "${patch.find}" once in ${file}, found it ${places} times.`);
          contents = contents.replace(patch.find, () => patch.replace);
          applied.add(patch);
        }
        return { contents, loader: "ts" };
      });
    },
  };
}
