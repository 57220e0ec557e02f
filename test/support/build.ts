/** Global setup of the tests that look at dist: builds it where it is older than what it is made of. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { root } from "../../scripts/entries.mjs";

export default function build(): void {
  if (isFresh()) return;
  execFileSync(process.execPath, ["node_modules/tsup/dist/cli-default.js", "--silent"], {
    cwd: root,
    stdio: "inherit",
  });
}

function isFresh(): boolean {
  if (!existsSync(`${root}dist/index.js`) || !existsSync(`${root}dist/index.d.ts`)) return false;
  const sources = [...changeTimes("src"), ...["package.json", "tsup.config.ts", "tsconfig.json"].map(changeTime)];
  return Math.max(...sources) < Math.min(...changeTimes("dist"));
}

/** Folders too: theirs change when a file goes. */
function changeTimes(folder: string): number[] {
  return [
    folder,
    ...readdirSync(root + folder, { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
  ].map(changeTime);
}

function changeTime(path: string): number {
  return statSync(root + path).mtimeMs;
}
