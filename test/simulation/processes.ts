/** Runs workers as processes, and reads what they answer. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Answer, Task } from "./worker.ts";

export interface WorkerLimits {
  /** It is ended when it has said nothing for so long. */
  readonly silenceMs?: number | undefined;
}

/** Resolves when it has ended. @throws when it ended otherwise than it should */
export function runWorker(
  path: string,
  task: Task,
  heard: (answer: Answer) => void,
  { silenceMs }: WorkerLimits = {},
): Promise<"done" | "silent"> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--enable-source-maps", path], { stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.end(JSON.stringify(task));
    let complaint = "";
    let isSilent = false;
    const silent = () => {
      isSilent = true;
      child.kill("SIGKILL");
    };
    let patience: NodeJS.Timeout | undefined;
    const wait = () => {
      clearTimeout(patience);
      if (silenceMs !== undefined) patience = setTimeout(silent, silenceMs);
    };
    wait();
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-4_000);
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      wait();
      heard(JSON.parse(line) as Answer);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(patience);
      if (code === 0 || isSilent) resolve(isSilent ? "silent" : "done");
      else reject(new Error(`A worker ended with ${code}: ${complaint}`));
    });
  });
}

export interface Seeds {
  readonly first: number;
  readonly count: number;
  readonly processes: number;
  /** Each process ends after so many violations. */
  readonly stopsAt: number;
}

export async function runSeeds(
  path: string,
  { first, count, processes, stopsAt }: Seeds,
  heard: (answer: Answer) => void,
): Promise<void> {
  const tasks = Array.from({ length: processes }, (_, at): Task => {
    return { kind: "seeds", first: first + at, step: processes, until: first + count, stopsAt };
  });
  await Promise.all(tasks.map((task) => runWorker(path, task, heard)));
}
