/** The type tests: every *.test-d.ts compiles, expected errors included, and so does everything that they stand beside. */
import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/entries.mjs";
import { readSources } from "../support/sources.ts";

const typeTests = [...readSources("test").keys()].filter((path) => path.endsWith(".test-d.ts"));

describe("the compiler", () => {
  let errors: readonly string[];

  beforeAll(() => {
    const options = [
      "--pretty",
      "false",
      "--incremental",
      "--tsBuildInfoFile",
      "node_modules/.cache/tsconfig.tsbuildinfo",
    ];
    const tsc = [`${root}node_modules/typescript/bin/tsc`, "-p", "tsconfig.json", ...options];
    const { stdout, status } = spawnSync(process.execPath, tsc, { cwd: root, encoding: "utf8" });
    // An error's explanation follows it, indented.
    errors = stdout.split(/\n(?=\S)/).filter((error) => error.trim() !== "");
    if (status !== 0 && errors.length === 0) throw new Error(`tsc ended with ${status} and said nothing`);
  });

  for (const path of typeTests) {
    test(`agrees with ${path}`, () => {
      expect(errors.filter((error) => error.startsWith(`${path}(`))).toEqual([]);
    });
  }

  test("finds nothing anywhere else", () => {
    expect(errors.filter((error) => !typeTests.some((path) => error.startsWith(`${path}(`)))).toEqual([]);
  });
});
