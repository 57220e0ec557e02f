import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../../scripts/entries.mjs";

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const packages: Readonly<Record<string, Locked>> = JSON.parse(
  readFileSync(`${root}package-lock.json`, "utf8"),
).packages;

describe("package-lock.json", () => {
  test("names no registry, so that `npm ci` takes the one that is configured", () => {
    const resolved = Object.entries(packages).filter(([, locked]) => locked.resolved !== undefined);
    expect(resolved.map(([path]) => path)).toEqual([]);
  });

  test("holds the binaries of every platform: `npm ci` refuses a lock that was made where some could not be found", () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isLocked(name, path)),
    );
    expect(missing).toEqual([]);
  });
});

/** Node's lookup: inside the package that asks, then inside each folder around it. */
function isLocked(name: string, from: string): boolean {
  if (packages[posix.join(from, "node_modules", name)]?.version !== undefined) return true;
  return from !== "" && isLocked(name, from.slice(0, Math.max(0, from.lastIndexOf("node_modules/") - 1)));
}
