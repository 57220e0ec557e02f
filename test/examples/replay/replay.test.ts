/** The whole tool, as it is called: real processes, sockets and files. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseLog, totalsOf } from "../../../examples/replay/log.ts";
import { parseCommandLine } from "../../../examples/replay/options.ts";
import { root } from "../../../scripts/entries.mjs";
import { folder, run, syntheticLog } from "./support.ts";

test("a log is sold again by tills that are cut off and killed, and nothing is lost", async () => {
  const at = await folder();
  const [csv, json] = [join(at, "sales.csv"), join(at, "out.json")];
  const text = syntheticLog(60);
  await writeFile(csv, text);
  const { code, out, error } = await run(csv, "--tills", "3", "--faults", "--seed", "5", "--json", json);
  expect({ code, error, end: out.trimEnd().split("\n").slice(-1) }, out).toEqual({
    code: 0,
    error: "",
    end: ["lost 0, duplicated 0, diverged 0"],
  });
  const report = JSON.parse(await readFile(json, "utf8"));
  expect(report).toEqual({
    tills: 3,
    servers: 1,
    ...totalsOf(parseLog(text)),
    operations: expect.any(Number),
    faults: expect.any(Object),
    lost: 0,
    duplicated: 0,
    diverged: 0,
    elapsedMs: expect.any(Number),
  });
  expect(Object.keys(report.faults).length).toBeGreaterThanOrEqual(8);
  expect(report.faults).toMatchObject({ server_killed: expect.any(Number) });
});

test("without faults there are outages only", async () => {
  const at = await folder();
  await writeFile(join(at, "sales.csv"), syntheticLog(12, 2));
  const { code, out } = await run(join(at, "sales.csv"), "--tills", "2");
  expect(code, out).toBe(0);
  expect(out).toContain("faults: none");
});

test("a wrong call ends with 2 and says what was expected", async () => {
  expect(await run()).toMatchObject({
    code: 2,
    error: expect.stringMatching(/^Expected the path of a sales log, got nothing\./),
  });
  expect(await run(join(root, "package.json"))).toMatchObject({
    code: 2,
    error: expect.stringMatching(/package\.json to be a sales log: line 1: expected the columns InvoiceNo/),
  });
});

test.each([
  [["a.csv", "--tills", "0"], 'Expected --tills to be an integer from 1 to 32, got "0". For example --tills 4.'],
  [["a.csv", "--seed", "x"], 'Expected --seed to be an integer from 0 to 2147483647, got "x".'],
  [["a.csv", "b.csv"], "Expected one sales log, got a.csv b.csv."],
  [["a.csv", "--json", ""], "Expected --json to name a file, got nothing."],
  [["a.csv", "--database", "shop.sqlite"], "Expected --database to be a PostgreSQL URL, got something else."],
  [["a.csv", "--faulty"], "Unknown option '--faulty'"],
])("%j is refused", (args, message) => {
  expect(() => parseCommandLine(args)).toThrow(message);
});

test("what is not said has a default", () => {
  const line = { csv: "a.csv", tills: 4, faults: false, seed: 1, database: undefined, json: undefined };
  expect(parseCommandLine(["a.csv"])).toEqual(line);
  expect(parseCommandLine(["-h"])).toBe("help");
});
