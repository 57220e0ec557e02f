/**
 * The queue of write transactions, joined into groups.
 *
 * - First come, first served. Neighbours of equal durability share one commit, and one flush to disk.
 * - If a group aborts, each member runs once more alone, so one bad write makes no other fail.
 * - `strict` work may use the reserve if the platform grants no more space.
 * - A group whose connection was lost runs again on a new one, unless the new one shows that it was stored after all.
 */
import type { StorageScript, TransactOptions } from "../../client/ports/storage.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import { isConnectionLoss, nameOf, typedError, unknownOutcome } from "./failures.ts";
import { type Job, runGroup, wasCommitted } from "./group.ts";
import type { Link } from "./link.ts";
import type { StoreConfig } from "./open.ts";
import type { Reserve } from "./reserve.ts";
import { type Memory, MISPREDICTED, SpeculativeReads } from "./speculative-reads.ts";
import { pause, withWatchdog } from "./watchdog.ts";

/** Limits how long a group keeps other tabs from the database. */
const SCRIPTS_PER_GROUP = 64;

/** Runs, each on a new connection, before a call fails. */
const TRIES = 4;
const RETRY_PAUSE_MS = 100;

export function createWriter(link: Link, config: StoreConfig, reserve: Reserve) {
  const queue: Job[] = [];
  let draining: Promise<void> | undefined;
  let groups = 0;
  let memory: Memory | undefined;
  /**
   * Different for each connection that ever wrote: ids are compared with those in rows of other tabs and other days.
   */
  const name = Math.random().toString(36).slice(2, 10);

  return {
    isBusy: () => draining !== undefined,
    /** Settles when everything that was added has settled. */
    idle: () => draining,
    add<T>(options: TransactOptions, script: () => StorageScript<T>): Promise<T> {
      const durability = config.durability === "relaxed" ? "relaxed" : options.durability;
      return new Promise<T>((resolve, reject) => {
        queue.push({ ...options, durability, script, resolve: resolve as Job["resolve"], reject, failures: 0 });
        draining ??= drain();
      });
    },
  };

  async function drain(): Promise<void> {
    // Calls that are made in the same task can join the group.
    await Promise.resolve();
    for (let [first] = queue; first !== undefined; [first] = queue) {
      let size = 1;
      while (size < SCRIPTS_PER_GROUP && first.failures === 0 && isAlike(first, queue[size])) size++;
      const group = queue.splice(0, size);
      // It rejects if not even a new connection can be opened.
      await run(group).catch((error) => {
        for (const job of group) job.reject(error);
      });
    }
    draining = undefined;
  }

  async function run(group: readonly Job[]): Promise<void> {
    const id = `${name}-${(++groups).toString(36)}`;
    const database = await link.database();
    const speculative = new SpeculativeReads(memory);
    const { error, outcomes, put } = await runGroup(group, config, database, id, speculative);
    memory = error === undefined ? speculative.memory : undefined;
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
      // Jobs without an outcome were not begun: they wait for the next group.
      queue.unshift(...group.slice(outcomes.length));
      return;
    }
    if (nameOf(error) === "QuotaExceededError") {
      if (group[0]?.durability !== "strict") reserve.refused();
      // If the reserve can't be released, the caller gets the platform's refusal.
      else if (await reserve.spend().catch(() => false)) {
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

  /**
   * @throws TillSyncError if it can't be found out: a new run could do the work twice, and "nothing was stored" could
   * be false.
   */
  async function wasStored(id: string, put: Parameters<typeof wasCommitted>[2]): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      let database: IDBDatabase | undefined;
      try {
        database = await link.database();
        return await withWatchdog(
          wasCommitted(database, id, put),
          config.watchdogMs,
          "whether a lost commit was stored",
        );
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
