import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { askAll } from "../../../src/server/ports/store.ts";
import { sqliteStore } from "../../../src/server/sqlite/index.ts";
import { SHOP, upTo } from "../../../src/server/testing/calls.ts";

const folder = mkdtempSync(join(tmpdir(), "tillsync-processes-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a writer, and resolves with what it had acknowledged when it ended. */
function runWriter(
  path: string,
  name: string,
  { count, killAfter }: { count?: number; killAfter?: number },
): Promise<readonly number[]> {
  const script = fileURLToPath(new URL("./writer-process.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["--import", "tsx", script, path, name, ...(count === undefined ? [] : [String(count)])],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const acknowledged: number[] = [];
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    acknowledged.push(Number(line));
    if (acknowledged.length === killAfter) child.kill("SIGKILL");
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0 || (killAfter !== undefined && signal === "SIGKILL")) resolve(acknowledged);
      else reject(new Error(`The writer ended with ${code ?? signal}: ${complaint}`));
    });
  });
}

/** What is stored: every commit whole, none missing up to the clock, none beyond it. */
async function committed(path: string): Promise<number> {
  const store = sqliteStore({ path });
  try {
    return await store.read(SHOP, function* () {
      const all = { after: 0, limit: 100_000 } as const;
      const [clock, changes, results] = yield* askAll([
        { kind: "clock" },
        { kind: "changes", collection: "products", scopes: "all", upTo: Number.MAX_SAFE_INTEGER, ...all },
        { kind: "results", device: "device-1", ...all },
      ]);
      const position = clock?.position ?? 0;
      expect(changes.map(({ row }) => row.version)).toEqual(upTo(position));
      expect(results.map((row) => row.feedPosition)).toEqual(upTo(position));
      return position;
    });
  } finally {
    await store.close();
  }
}

test("a process that is killed loses nothing that it acknowledged, and leaves nothing half done", {
  timeout: 60_000,
}, async () => {
  const path = join(folder, "killed.sqlite");
  let stored = 0;
  for (const killAfter of [1, 37, 160]) {
    const acknowledged = await runWriter(path, `killed-${killAfter}`, { killAfter });
    expect(acknowledged.length).toBeGreaterThanOrEqual(killAfter);
    expect(acknowledged[0]).toBe(stored + 1);
    stored = await committed(path);
    expect(stored).toBeGreaterThanOrEqual(acknowledged.at(-1) ?? 0);
  }
});

test("processes that open a new database together and write to it take turns", { timeout: 60_000 }, async () => {
  const path = join(folder, "shared.sqlite");
  const writers = ["north", "south", "east"];
  const positions = await Promise.all(writers.map((name) => runWriter(path, name, { count: 40 })));
  for (const own of positions) expect(own).toEqual(own.toSorted((a, b) => a - b));
  expect(positions.flat().toSorted((a, b) => a - b)).toEqual(upTo(writers.length * 40));
  expect(await committed(path)).toBe(writers.length * 40);
});
