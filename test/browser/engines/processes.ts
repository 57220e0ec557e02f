/** The processes of a browser that a test has started: found by their parents, ended by their ids. */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

export interface Process {
  readonly pid: number;
  readonly name: string;
}

interface Listed extends Process {
  readonly parent: number;
  readonly isOver: boolean;
}

/** Every process that descends from this one, parents before their children. */
export function descendants(pid: number): readonly Process[] {
  const all = processes();
  const below = (parent: number): readonly Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

/** Kills them all, and resolves when none of them runs. */
export async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
  while (processes().some(({ pid, isOver }) => pids.includes(pid) && !isOver)) await sleep(10);
}

/** A process that nobody has collected is over as well. */
function processes(): readonly Listed[] {
  const { stdout } = spawnSync("ps", ["-eo", "pid=,ppid=,stat=,comm="], { encoding: "utf8" });
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, parent, state = "", ...name] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), isOver: state.startsWith("Z"), name: name.join(" ") };
    });
}
