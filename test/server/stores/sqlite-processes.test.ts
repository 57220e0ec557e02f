import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sqliteStore } from "../../../src/server/sqlite/index.ts";
import { upTo } from "../../../src/server/testing/calls.ts";
import { committed, runWriter } from "./writers.ts";

const folder = mkdtempSync(join(tmpdir(), "tillsync-processes-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a process that is killed loses nothing that it acknowledged, and leaves nothing half done", async () => {
  const path = join(folder, "killed.sqlite");
  let stored = 0;
  for (const killAfter of [1, 37, 160]) {
    const acknowledged = await runWriter(path, `killed-${killAfter}`, { killAfter });
    expect(acknowledged.length).toBeGreaterThanOrEqual(killAfter);
    expect(acknowledged[0]).toBe(stored + 1);
    stored = await committed(sqliteStore({ path }));
    expect(stored).toBeGreaterThanOrEqual(acknowledged.at(-1) ?? 0);
  }
});

test("processes that open a new database together and write to it take turns", async () => {
  const path = join(folder, "shared.sqlite");
  const writers = ["north", "south", "east"];
  const positions = await Promise.all(writers.map((name) => runWriter(path, name, { count: 40 })));
  for (const own of positions) expect(own).toEqual(own.toSorted((a, b) => a - b));
  expect(positions.flat().toSorted((a, b) => a - b)).toEqual(upTo(writers.length * 40));
  expect(await committed(sqliteStore({ path }))).toBe(writers.length * 40);
});
