import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseLog, totalsOf } from "../../../examples/replay/log.ts";
import { newDatabase } from "../../support/postgres.ts";
import { folder, run, syntheticLog } from "./support.ts";

test("two servers on one PostgreSQL: tills are spread over both, each server is killed, and nothing is lost", async () => {
  const at = await folder();
  const database = await newDatabase();
  onTestFinished(() => database.drop());
  const [csv, json] = [join(at, "sales.csv"), join(at, "out.json")];
  const text = syntheticLog(60);
  await writeFile(csv, text);
  const options = ["--tills", "4", "--faults", "--seed", "5", "--json", json, "--database", database.url];
  const { code, out, error } = await run(csv, ...options);
  expect({ code, error, end: out.trimEnd().split("\n").slice(-1) }, out).toEqual({
    code: 0,
    error: "",
    end: ["lost 0, duplicated 0, diverged 0"],
  });
  const report = JSON.parse(await readFile(json, "utf8"));
  expect(report).toMatchObject({ tills: 4, servers: 2, ...totalsOf(parseLog(text)) });
  expect(report.faults).toMatchObject({ server_killed: expect.any(Number) });
  expect(out).not.toContain(new URL(database.url).password);
});
