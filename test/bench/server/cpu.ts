/** CPU time, in microseconds: of this process, and of a PostgreSQL on this machine. Waiting for a disk or a lock is in neither. */
import { readdirSync, readFileSync } from "node:fs";

export interface CpuMeter {
  /** Since whenever. Only differences mean anything. */
  read(): { readonly process: number; readonly database: number };
}

export const ownCpu: CpuMeter = { read: () => ({ process: processCpu(), database: 0 }) };

/** @param backend the process id of any of its backends: the others are its siblings */
export function cpuWithPostgres(backend: number): CpuMeter {
  const parent = parentOf(backend);
  if (parent === undefined) {
    throw new Error(
      "The CPU time of a PostgreSQL is read from /proc: it must run on this machine, and this must be Linux.",
    );
  }
  return { read: () => ({ process: processCpu(), database: cpuOfChildren(parent) }) };
}

function processCpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function cpuOfChildren(parent: number): number {
  const children = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent);
  return children.reduce((sum, pid) => sum + cpuOf(pid), 0);
}

/** The first number of `schedstat` is the time on a CPU in nanoseconds. */
function cpuOf(pid: number): number {
  const text = readProc(`${pid}/schedstat`);
  return text === undefined ? 0 : Number(text.split(" ")[0]) / 1_000;
}

function parentOf(pid: number): number | undefined {
  const stat = readProc(`${pid}/stat`);
  // The name may have spaces and brackets in it.
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** Processes come and go between the list and the look. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return undefined;
  }
}
