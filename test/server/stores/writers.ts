/** Server processes that write to one store, and what is in it afterwards. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { askAll, type ServerStore } from "../../../src/server/ports/store.ts";
import { SHOP, upTo } from "../../../src/server/testing/calls.ts";

/** Runs a writer, and resolves with what it had acknowledged when it ended. `path`: a file or a PostgreSQL URL. */
export function runWriter(
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

/** What is stored: every commit whole, none missing up to the clock, none beyond it. Closes the store. */
export async function committed(store: ServerStore): Promise<number> {
  try {
    return await store.read(SHOP, function* () {
      const all = { after: 0, limit: 100_000 } as const;
      const upToEnd = { upTo: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };
      const [clock, changes, results] = yield* askAll([
        { kind: "clock" },
        { kind: "changes", collection: "products", scopes: "all", ...upToEnd, ...all },
        { kind: "results", device: "device-1", ...all },
      ]);
      const position = clock?.position ?? 0;
      expect(changes.entries.map(({ row }) => row.version)).toEqual(upTo(position));
      expect(results.map((row) => row.feedPosition)).toEqual(upTo(position));
      return position;
    });
  } finally {
    await store.close();
  }
}
