/** What `npm run check` asks of doc comments, tried on sources that lack them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readMembers } from "../../scripts/documented.mjs";
import { root } from "../../scripts/entries.mjs";

const source = `
/** The entry. @module package */

/** A function. */
export function documented(options: { a: string; b: string }): void {}
export function bare(): void {}

interface Base {
  inherited: string;
}
/** An interface. \`enclosed\` is named here, \`direct\` too. */
export interface Shape extends Base {
  kind: "shape";
  absent?: undefined;
  direct: string;
  /** @default 1 */
  tagOnly: number;
  /** A method. */
  method(parameter: { one: string; line: string }): Promise<{
    enclosed: string;
    lines: string;
  }>;
  /** A function as a value. */
  callback: () => void;
  /** One line. */
  line: { x: number; y: number };
  /** Several lines; \`named\`: this one. */
  lines: {
    named: number;
    /** By a comment of its own. */
    own: number;
    forgotten: number;
  };
}
/** A union: \`mentioned\` … */
export type Union =
  | { kind: "mentioned" }
  /** With \`detail\`. */
  | { kind: "summarised"; detail: string; other: string }
  | {
      /** By its tag. */
      kind: "tagged";
    }
  | { kind: "silent" };
/** Options. */
export interface CallOptions {
  required: string;
  /** In ms. @default 5 */
  withDefault?: number;
  /** If omitted, nothing is logged. */
  withWords?: string;
  /** Required if there is no other. */
  sometimes?: string;
  /** The signal. */
  without?: string;
  neither?: string;
}
/** Constants. */
export const constants = { one: 1 } as const;
/** An error. */
export class Failure extends Error {
  code = "x";
  #secret = 1;
}
`;

const tsconfig = {
  compilerOptions: {
    ...{ target: "es2022", module: "esnext", moduleResolution: "bundler", lib: ["es2022"] },
    ...{ strict: true, noEmit: true, types: [] },
  },
  files: ["index.ts", "second.ts"],
};

let folder: string;
let members: Awaited<ReturnType<typeof readMembers>>["members"];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tillsync-documented-"));
  writeFileSync(join(folder, "index.ts"), source);
  writeFileSync(
    join(folder, "second.ts"),
    `/** A header without the tag. */\n\nexport { documented, bare } from "./index.ts";\n`,
  );
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "package" }));
  const options = {
    entryPoints: tsconfig.files.map((file) => join(folder, file)),
    tsconfig: join(folder, "tsconfig.json"),
    options: root,
    skipErrorChecking: true,
  };
  members = (await readMembers(options)).members;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("names what has no description", () => {
  const undocumented = members.filter(({ isDocumented }) => !isDocumented).map(({ name }) => name);
  expect(undocumented.sort()).toEqual(
    [
      "Base.inherited",
      "CallOptions.neither",
      "CallOptions.required",
      "Failure.code",
      "Shape.direct",
      "Shape.lines.forgotten",
      "Shape.method.lines",
      "Shape.tagOnly",
      'Union { kind: "silent" }',
      "Union.other",
      "bare",
      "second (the entry's comment, with `@module`)",
    ].sort(),
  );
});

test("names the optional options that don't say what holds without them", () => {
  expect(members.filter(({ lacksDefault }) => lacksDefault).map(({ name }) => name)).toEqual([
    "CallOptions.neither",
    "CallOptions.without",
  ]);
});

test("counts a member once, and none that need no words", () => {
  const names = members.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain("documented");
  for (const name of ["Shape.kind", "Shape.absent", "constants.one", "Failure.message", "Shape.line.x"]) {
    expect(names).not.toContain(name);
  }
});
