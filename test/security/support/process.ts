/** The reference server as a process of its own, with as little memory as it is given, and how much of it it took. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../../scripts/entries.mjs";

export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  isRunning(): boolean;
  /** What it has logged: errors. */
  logged(): string;
  /** MiB in memory: now, and at most since it started. `undefined` where the system does not say. */
  memory(): { readonly now: number; readonly peak: number } | undefined;
  /** Bytes of the database, with its log. */
  disk(): number;
  stop(): Promise<void>;
}

/** @param heapMiB what the engine may have: a request that needs more ends the process */
export async function startProcess(heapMiB: number): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), "tillsync-security-"));
  const database = join(folder, "shop.sqlite");
  const main = join(root, "examples/reference-server/main.ts");
  const options = ["--no-page", "--seed", "none", "--port", "0", "--log", "error", "--database", database];
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMiB}`, "--import", "tsx", main, ...options], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  let out = "";
  let error = "";
  child.stderr.on("data", (chunk) => {
    error += chunk;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      out += chunk;
      const found = /listening on (\S+)\n/.exec(out)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`The server did not start: ${error}`)));
  });
  return {
    url,
    port: Number(new URL(url).port),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    logged: () => error,
    memory: () => memoryOf(child.pid),
    disk: () =>
      [database, `${database}-wal`].reduce((sum, path) => sum + (existsSync(path) ? statSync(path).size : 0), 0),
    async stop() {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function memoryOf(pid: number | undefined): { readonly now: number; readonly peak: number } | undefined {
  if (process.platform !== "linux") return undefined;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1_024);
  return { now: mib("VmRSS"), peak: mib("VmHWM") };
}
