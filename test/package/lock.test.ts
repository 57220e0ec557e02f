import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../../scripts/entries.mjs";
import { lockFaults, lockFiles, readLock } from "../../scripts/lock.mjs";

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

test("`npm ci` runs no script of a package: every version of npm reads this setting, only new ones read `allowScripts`", () => {
  expect(readFileSync(`${root}.npmrc`, "utf8")).toMatch(/^ignore-scripts=true$/m);
});

describe("scripts/lock.mjs", () => {
  const integrity = `sha512-${"A".repeat(86)}==`;
  const sound = { version: "1.2.3", integrity };
  const faultsOf = (locked: object, scripts?: Readonly<Record<string, boolean>>) =>
    lockFaults({ packages: { "": { version: "0.1.0" }, "node_modules/a/node_modules/@b/c": locked } }, scripts);

  test("finds no fault in the lock files of the project", () => {
    const { allowScripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
    const [own = "", ...others] = lockFiles;
    expect(lockFaults(readLock(own), allowScripts)).toEqual([]);
    expect(others.flatMap((path) => lockFaults(readLock(path)))).toEqual([]);
  });

  test("finds no fault in an entry with a version and a sha512", () => {
    expect(faultsOf(sound, {})).toEqual([]);
    expect(faultsOf({ ...sound, version: "18.4.0-beta.17" }, {})).toEqual([]);
  });

  test.each<[string, object, string]>([
    ["without integrity", { integrity: undefined }, "expected a sha512 as integrity, received none"],
    ["with a sha1", { integrity: "sha1-AAAA" }, "expected a sha512 as integrity, received sha1-AAAA"],
    [
      "with two hashes, of which any would do",
      { integrity: `${integrity} ${integrity}` },
      `expected a sha512 as integrity, received ${integrity} ${integrity}`,
    ],
    [
      "of another host",
      { resolved: "https://packages.example/c.tgz" },
      "is fetched from https://packages.example/c.tgz, not from the configured registry",
    ],
    [
      "of a git repository",
      { resolved: "git+ssh://git@git.example/c.git#1" },
      "is fetched from git+ssh://git@git.example/c.git#1, not from the configured registry",
    ],
    ["with a range", { version: "^1.2.3" }, "expected a version, received ^1.2.3"],
    ["that installs another package", { name: "@b/d" }, "is another package, @b/d"],
  ])("finds an entry %s", (_, change, fault) => {
    expect(faultsOf({ ...sound, ...change })).toEqual([`node_modules/a/node_modules/@b/c: ${fault}`]);
  });

  test.each<[string, Readonly<Record<string, boolean>>, number]>([
    ["not mentioned", {}, 1],
    ["allowed", { "@b/c": true }, 1],
    ["denied", { "@b/c": false }, 0],
  ])("install scripts that are %s", (_, scripts, faults) => {
    expect(faultsOf({ ...sound, hasInstallScript: true }, scripts)).toHaveLength(faults);
  });
});

/** Node's lookup: inside the package that asks, then inside each folder around it. */
function isLocked(name: string, from: string): boolean {
  if (packages[posix.join(from, "node_modules", name)]?.version !== undefined) return true;
  return from !== "" && isLocked(name, from.slice(0, Math.max(0, from.lastIndexOf("node_modules/") - 1)));
}
