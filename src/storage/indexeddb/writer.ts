/**
 * The queue of write transactions, joined into groups.
 *
 * - First come, first served; neighbours of equal durability share one commit, and one flush to disk.
 * - A group that aborts is taken apart: each member runs alone once more, so that one bad write fails nobody else.
 * - What a person was promised is given the reserve, where the platform gives no more space.
 * - A group whose connection died runs again on a new one, unless the new one shows that it was stored after all.
 */
import type { StorageScript, TransactOptions } from "../../client/ports/storage.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import { isConnectionLoss, nameOf, typedError, unknownOutcome } from "./failures.ts";
import { type Job, runGroup, wasCommitted } from "./group.ts";
import type { Link } from "./link.ts";
import type { Place } from "./open.ts";
import type { Reserve } from "./reserve.ts";
import { type Memory, MISPREDICTED, SpeculativeReads } from "./speculative-reads.ts";
import { answered, pause } from "./watchdog.ts";

/** So that a group never keeps the database from other tabs for long. */
const SCRIPTS_PER_GROUP = 64;

/** Runs on new connections, before a call is given up. */
const TRIES = 4;
const RETRY_PAUSE_MS = 100;

export function createWriter(link: Link, place: Place, reserve: Reserve) {
  const queue: Job[] = [];
  let draining: Promise<void> | undefined;
  let groups = 0;
  let memory: Memory | undefined;
  /** Different for each connection that ever wrote: an id is compared with those in rows of other tabs and other days. */
  const name = Math.random().toString(36).slice(2, 10);

  return {
    isBusy: () => draining !== undefined,
    /** When everything that was added is settled. */
    idle: () => draining,
    add<T>(options: TransactOptions, script: () => StorageScript<T>): Promise<T> {
      const durability = place.durability === "relaxed" ? "relaxed" : options.durability;
      return new Promise<T>((resolve, reject) => {
        queue.push({ ...options, durability, script, resolve: resolve as Job["resolve"], reject, failures: 0 });
        draining ??= drain();
      });
    },
  };

  async function drain(): Promise<void> {
    // A moment, in which those who are called in the same breath can join.
    await Promise.resolve();
    for (let [first] = queue; first !== undefined; [first] = queue) {
      let size = 1;
      while (size < SCRIPTS_PER_GROUP && first.failures === 0 && isAlike(first, queue[size])) size++;
      const group = queue.splice(0, size);
      // No connection, not even a new one.
      await run(group).catch((error) => {
        for (const job of group) job.reject(error);
      });
    }
    draining = undefined;
  }

  async function run(group: readonly Job[]): Promise<void> {
    const id = `${name}-${(++groups).toString(36)}`;
    const database = await link.database();
    const guesses = new SpeculativeReads(memory);
    const { error, outcomes, put } = await runGroup(group, place, database, id, guesses);
    memory = error === undefined ? guesses.memory : undefined;
    if (error === MISPREDICTED) {
      queue.unshift(...group);
      return;
    }
    const isSilent = isTillSyncError(error);
    const isLost = isConnectionLoss(error);
    if (isSilent || isLost) link.drop(database);
    if (error === undefined || (isLost && put !== undefined && (await wasStored(id, put)))) {
      outcomes.forEach((outcome, at) => {
        if ("value" in outcome) group[at]?.resolve(outcome.value);
        else group[at]?.reject(outcome.thrown);
      });
      // Those beyond the outcomes were not begun: they wait for the next group.
      queue.unshift(...group.slice(outcomes.length));
      return;
    }
    if (nameOf(error) === "QuotaExceededError") {
      if (group[0]?.durability !== "strict") reserve.refused();
      // If it can't be given back, the refusal is what is told.
      else if (await reserve.spend(database).catch(() => false)) {
        queue.unshift(...group);
        return;
      }
    }
    const failures = Math.max(...group.map((job) => ++job.failures));
    if (!isSilent && (group.length > 1 || (isLost && failures < TRIES))) {
      if (isLost) await pause(RETRY_PAUSE_MS * (failures - 1));
      queue.unshift(...group);
      return;
    }
    for (const job of group) job.reject(await typedError(error, job.tables.join(", ")));
  }

  /** @throws TillSyncError where nobody can tell: running it again could do it twice, and "nothing was stored" could be a lie. */
  async function wasStored(id: string, put: Parameters<typeof wasCommitted>[2]): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      let database: IDBDatabase | undefined;
      try {
        database = await link.database();
        return await answered(wasCommitted(database, id, put), place.watchdogMs, "whether a lost commit was stored");
      } catch (error) {
        if (database !== undefined) link.drop(database);
        if (!isConnectionLoss(error) || tries === TRIES) throw unknownOutcome(error);
        await pause(RETRY_PAUSE_MS * (tries - 1));
      }
    }
  }
}

function isAlike(first: Job, job: Job | undefined): boolean {
  return job?.durability === first.durability && job.failures === 0;
}
