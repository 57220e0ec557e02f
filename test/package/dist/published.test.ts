import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publicEntries, root } from "../../../scripts/entries.mjs";

const entries = publicEntries();

for (const { specifier, output } of entries) {
  test(`${specifier} can be imported by Node, which has none of a browser's globals`, () => {
    const script = `console.log(Object.keys(await import(${JSON.stringify(specifier)})).length)`;
    const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: root,
      encoding: "utf8",
    });
    expect(Number(printed)).toBeGreaterThan(0);
  });

  test(`${specifier} brings the declaration of AsyncDisposable with it`, () => {
    const declarations = readFileSync(`${root}dist/${output}.d.ts`, "utf8");
    expect(declarations).toMatch(/^\/\/\/ <reference lib="esnext\.disposable" \/>$/m);
  });
}

describe("an application that checks its libraries too", () => {
  let application: string;

  beforeAll(() => {
    application = mkdtempSync(join(tmpdir(), "tillsync-application-"));
    mkdirSync(join(application, "node_modules"));
    symlinkSync(root, join(application, "node_modules", "tillsync"), "dir");
    const imports = entries.map(({ specifier }, index) => `import * as entry${index} from "${specifier}";`);
    const uses = entries.map((_, index) => `void entry${index};`);
    writeFileSync(join(application, "application.ts"), [...imports, ...uses].join("\n"));
  });
  afterAll(() => rmSync(application, { recursive: true, force: true }));

  // What a frontend has: no types of Node, and no `lib` that is newer than its target.
  test.each([
    ["bundler", "esnext"],
    ["nodenext", "nodenext"],
  ])("compiles with moduleResolution %s", (moduleResolution, module) => {
    const compilerOptions = {
      ...{ target: "es2022", lib: ["es2022", "dom", "dom.iterable"], types: [], module, moduleResolution },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
    };
    writeFileSync(join(application, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(application, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["application.ts"] }));
    const { stdout } = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-p", application], {
      encoding: "utf8",
    });
    expect(stdout).toBe("");
  });
});
