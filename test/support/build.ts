/** Global setup of the tests of dist: builds it if it is older than its sources. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { root } from "../../scripts/entries.mjs";

export default function build(): void {
  if (isFresh()) return;
  try {
    const tsup = ["node_modules/tsup/dist/cli-default.js", "--silent"];
    execFileSync(process.execPath, tsup, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  } catch {
    // The other tests run anyway. Those of dist find none and fail, rather than test half of one.
    console.error("dist could not be built");
    rmSync(`${root}dist`, { recursive: true, force: true });
  }
}

function isFresh(): boolean {
  if (!existsSync(`${root}dist/index.js`) || !existsSync(`${root}dist/index.d.ts`)) return false;
  const sources = [...changeTimes("src"), ...["package.json", "tsup.config.ts", "tsconfig.json"].map(changeTime)];
  return Math.max(...sources) < Math.min(...changeTimes("dist"));
}

/** Includes folders: theirs change when a file is removed. */
function changeTimes(folder: string): number[] {
  return [
    folder,
    ...readdirSync(root + folder, { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
  ].map(changeTime);
}

function changeTime(path: string): number {
  return statSync(root + path).mtimeMs;
}
