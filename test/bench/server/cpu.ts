/** CPU time, in microseconds: of this process, and of a PostgreSQL on this machine. Waiting for a disk or a lock is in neither. */
import { readdirSync, readFileSync } from "node:fs";

export interface CpuTime {
  readonly process: number;
  readonly database: number;
}

export interface CpuMeter {
  /** Gives back what tells how much was used since. */
  start(): () => CpuTime;
}

export const ownCpu: CpuMeter = {
  start() {
    const before = processCpu();
    return () => ({ process: processCpu() - before, database: 0 });
  },
};

/** @param backend the process id of any of its backends: the others are its siblings */
export function cpuWithPostgres(backend: number): CpuMeter {
  const parent = parentOf(backend);
  if (parent === undefined) {
    throw new Error(
      "The CPU time of a PostgreSQL is read from /proc: it must run on this machine, and this must be Linux.",
    );
  }
  return {
    start() {
      const before = processCpu();
      const databaseBefore = cpuOfChildren(parent);
      return () => {
        let database = 0;
        for (const [pid, cpu] of cpuOfChildren(parent)) database += cpu - (databaseBefore.get(pid) ?? 0);
        return { process: processCpu() - before, database };
      };
    },
  };
}

function processCpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Its backends, and those that write its log and its pages. Not the vacuum: it comes when it likes, and is gone before it is counted. */
function cpuOfChildren(parent: number): ReadonlyMap<number, number> {
  const children = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent && !readProc(`${pid}/cmdline`)?.includes("autovacuum worker"));
  return new Map(children.map((pid) => [pid, cpuOf(pid)]));
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
