/**
 * The queue of write transactions, joined into groups. (storage/indexeddb)
 *
 * - First come, first served; neighbours of equal durability share one commit, and one flush to disk.
 * - A group that aborts is taken apart: each member runs alone once more, so that one bad write fails nobody else.
 * - A group whose connection died runs again on a new one, unless the new one shows that it was stored after all.
 */
import type { StorageEstimate, StorageScript, TransactOptions } from "../../client/ports/storage.ts";
import type { Tables } from "../stored-layout.ts";
import { isConnectionLoss, silence, typedError } from "./failures.ts";
import type { GroupEnd, Job, Outcome } from "./group.ts";
import { runGroup, wasCommitted } from "./group.ts";
import type { Link } from "./link.ts";
import { answered, pause } from "./watchdog.ts";

/** So that a group never keeps the database from other tabs for long. */
const SCRIPTS_PER_GROUP = 64;

/** Runs on new connections, before a call is given up. */
const TRIES = 4;
const RETRY_PAUSE_MS = 100;

export interface WriterParts {
  readonly tables: Tables;
  readonly watchdogMs: number;
  readonly estimate: () => Promise<StorageEstimate>;
}

export class Writer {
  readonly #link: Link;
  readonly #parts: WriterParts;
  readonly #queue: Job[] = [];
  #draining: Promise<void> | undefined;
  #groups = 0;
  /** Different for each connection that ever wrote: an id is compared with those in rows of other tabs and other days. */
  readonly #name = Math.random().toString(36).slice(2, 10);

  constructor(link: Link, parts: WriterParts) {
    this.#link = link;
    this.#parts = parts;
  }

  get isBusy(): boolean {
    return this.#draining !== undefined;
  }

  add<T>(options: TransactOptions, durability: Job["durability"], script: () => StorageScript<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ options, durability, script, resolve: resolve as Job["resolve"], reject, failures: 0 });
      this.#draining ??= this.#drain();
    });
  }

  /** When everything that was added is settled. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    // A moment, in which those who are called in the same breath can join.
    await Promise.resolve();
    for (let group = this.#next(); group.length > 0; group = this.#next()) await this.#run(group);
    this.#draining = undefined;
  }

  #next(): readonly Job[] {
    const first = this.#queue[0];
    const most = this.#queue.slice(0, SCRIPTS_PER_GROUP);
    const end = most.findIndex((job) => job.durability !== first?.durability || job.failures > 0);
    return this.#queue.splice(0, end === -1 ? most.length : Math.max(end, 1));
  }

  async #run(group: readonly Job[]): Promise<void> {
    const { tables, watchdogMs } = this.#parts;
    const id = `${this.#name}-${(++this.#groups).toString(36)}`;
    try {
      const database = await this.#link.database();
      const end = await runGroup(group, { database, tables, watchdogMs, id });
      if (end.kind === "committed") return this.#settle(group, end.outcomes);
      const isLost = isConnectionLoss(end.error);
      if (end.kind === "silent" || isLost) this.#link.drop(database);
      if (end.kind === "unknown" && isLost && (await this.#wasStored(id, end)))
        return this.#settle(group, end.outcomes);
      await this.#retry(group, end);
    } catch (error) {
      // No connection, not even a new one.
      for (const job of group) job.reject(error);
    }
  }

  /** Those beyond the outcomes were not begun: they wait for the next group. */
  #settle(group: readonly Job[], outcomes: readonly Outcome[]): void {
    outcomes.forEach((outcome, at) => {
      if ("value" in outcome) group[at]?.resolve(outcome.value);
      else group[at]?.reject(outcome.thrown);
    });
    this.#queue.unshift(...group.slice(outcomes.length));
  }

  async #wasStored(id: string, { put }: GroupEnd & { kind: "unknown" }): Promise<boolean> {
    const database = await this.#link.database();
    const { watchdogMs } = this.#parts;
    return await answered(wasCommitted(database, id, put), watchdogMs, () =>
      silence("the question for a lost commit", watchdogMs),
    );
  }

  async #retry(group: readonly Job[], { kind, error }: Exclude<GroupEnd, { kind: "committed" }>): Promise<void> {
    const isLost = isConnectionLoss(error);
    for (const job of group) job.failures++;
    const failures = group[0]?.failures ?? TRIES;
    const mayRun = kind !== "silent" && (group.length > 1 || (isLost && failures < TRIES));
    if (mayRun) {
      if (isLost) await pause(RETRY_PAUSE_MS * (failures - 1));
      this.#queue.unshift(...group);
      return;
    }
    for (const job of group) {
      job.reject(await typedError(error, job.options.tables.join(", "), this.#parts.estimate));
    }
  }
}
