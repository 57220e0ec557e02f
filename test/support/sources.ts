/** The package's own sources, as text. */
import { readdirSync, readFileSync } from "node:fs";
import { root } from "../../scripts/entries.mjs";

/** The text of every TypeScript file under `folder`, by its path from the project's root. */
export function readSources(folder: string): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(root + folder, { recursive: true, encoding: "utf8" })
      .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
      .filter((path) => /\.tsx?$/.test(path))
      .sort()
      .map((path) => [path, readFileSync(root + path, "utf8")]),
  );
}
