/** No test fails because the machine is busy: none sets a shorter limit for itself than all have. */
import { expect, test } from "vitest";
import { readSources } from "../support/sources.ts";

/** `{ timeout: … }`, limits of a file, the number after a test's function, and waits of Vitest that end after a second. */
const LIMITS = [
  /\b(?:timeout|testTimeout|hookTimeout): (?<ms>[\d_]+)/g,
  /^ *\},? (?<ms>[\d_]{4,})\);$/gm,
  /^ *(?<ms>\d[\d_]{4,}),\n *\);$/gm,
  /\bvi\.wait(?:For|Until)\(/g,
];
const LEAST_MS = 120_000;

function shortLimits(source: string): readonly string[] {
  return LIMITS.flatMap((pattern) => [...source.matchAll(pattern)]).flatMap(([text, ms = "1"]) => {
    const limit = Number(ms.replaceAll("_", ""));
    return limit > 0 && limit < LEAST_MS ? [text.trim()] : [];
  });
}

test("no test has a limit that a busy machine reaches: it uses that of vitest.config.ts, and `expect.poll` to wait", () => {
  const sources = [...readSources("test")].filter(([path]) => !path.includes("patience"));
  expect(sources.length).toBeGreaterThan(100);
  const found = sources.map(([path, source]) => [path, shortLimits(source)] as const);
  expect(found.filter(([, limits]) => limits.length > 0)).toEqual([]);
});

test.each([
  'test("x", { timeout: 20_000 }, async () => {});',
  'test("x", async () => {\n  await work();\n}, 60_000);',
  "test(\n  name,\n  async () => {},\n  90_000,\n);",
  "vi.setConfig({ testTimeout: 60_000 });",
  "await vi.waitFor(() => expect(calls).toBe(1));",
  "await expect.poll(read, { timeout: 1_000 }).toBe(1);",
])("a limit of its own is found: %j", (source) => {
  expect(shortLimits(source)).toHaveLength(1);
});

test("longer limits, none, and numbers that are none are not found", () => {
  const source =
    "}, 240_000);\nconst none = { timeout: 0 };\nconst sum = add(1, 20_000);\nawait expect.poll(read).toBe(1);";
  expect(shortLimits(source)).toEqual([]);
});
