/**
 * Joins the pushes of one tenant that wait inside this process into one transaction. With eight tills on a slow disk
 * that gives 28k operations a second instead of 18k (docs/decisions/coalesced-pushes.md).
 *
 * - No push waits for another one to arrive: the pushes that are there when the previous transaction has ended share
 *   the next one.
 * - One till's poison never aborts another's sale [C9]. If a joined transaction fails, each push is tried alone. If a
 *   push fails alone, each of its units is tried alone. The units that still fail are answered `retry`; everything else
 *   has been stored.
 * - If the store reports that it is down, or does not even take an empty push, nothing more is tried: all waiting
 *   pushes are unavailable, and no operation gets a result. Trying each alone would keep a busy database busy.
 */
import type { OperationResult } from "../../protocol/types.ts";
import { type Deferred, deferred } from "../../shared/deferred.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import { jsonBytes } from "../../shared/json.ts";
import { retry } from "../decide/operation/verdicts.ts";
import { decidePush, foresee, type PushInput, type PushOutcome, prefetch } from "../decide/push.ts";
import {
  answerBytesOf,
  LOADED_BYTES,
  LOADED_BYTES_OF_UNIT,
  putOffResult,
  withinBudget,
} from "../decide/push-budget.ts";
import { TooManyRuns, TooMuchLoaded } from "../decide/rows/run.ts";
import { unitsOf } from "../decide/transaction.ts";
import type { ServerParts } from "../options.ts";
import { commitDecision } from "./commit.ts";

const MAX_JOINED = 10;
/** Bytes of the pushes that share a transaction: while one is judged, every tenant of the process waits (L12). */
const MAX_JOINED_BYTES = 1024 * 1024;
/** Few pushes need more than two. One that needs more is tried in parts, so that only a part runs so often. */
const MAX_RUNS = 8;
const MAX_RUNS_ALONE = 100;
/** An operation that fails alone may have met a defect: trying it again helps after a person has read the log. */
const POISON_RETRY_MS = 30_000;

interface Job {
  readonly input: PushInput;
  readonly done: Deferred<PushOutcome>;
}

export class PushQueue {
  readonly #parts: Pick<ServerParts, "store" | "logger">;
  readonly #waiting = new Map<string, Job[]>();

  constructor(parts: Pick<ServerParts, "store" | "logger">) {
    this.#parts = parts;
  }

  push(input: PushInput): Promise<PushOutcome> {
    const { tenant } = input.session.principal;
    const job: Job = { input, done: deferred() };
    const waiting = this.#waiting.get(tenant);
    if (waiting !== undefined) waiting.push(job);
    else {
      this.#waiting.set(tenant, [job]);
      void this.#drain(tenant);
    }
    return job.done.promise;
  }

  async #drain(tenant: string): Promise<void> {
    for (;;) {
      const jobs = nextOf(this.#waiting.get(tenant) ?? []);
      if (jobs.length === 0) break;
      // Nothing else would answer these jobs or take the next ones, so every failure must end here, even one thrown by
      // a logger.
      await this.#runJoined(tenant, jobs).catch((error: unknown) => {
        for (const job of jobs) job.done.reject(error);
      });
    }
    this.#waiting.delete(tenant);
  }

  async #runJoined(tenant: string, jobs: readonly Job[]): Promise<void> {
    try {
      const outcomes = await this.#transact(
        tenant,
        jobs.map(({ input }) => input),
      );
      for (const [index, outcome] of outcomes.entries()) jobs[index]?.done.resolve(outcome);
    } catch (error) {
      if (isStoreDown(error)) throw error;
      const level = isTooMuch(error) ? "info" : "error";
      this.#parts.logger[level]("A transaction of pushes failed; each is tried alone", {
        pushes: jobs.length,
        cause: String(error),
      });
      for (const { input, done } of jobs) {
        // A push that was joined with others has not been tried alone yet.
        const run = jobs.length > 1 ? this.#runAlone(tenant, input) : this.#runByUnits(tenant, input);
        await run.then(done.resolve, (failure: unknown) => {
          done.reject(failure);
          if (isStoreDown(failure)) throw failure;
        });
      }
    }
  }

  async #runAlone(tenant: string, input: PushInput): Promise<PushOutcome> {
    const outcome = await this.#transactOne(tenant, input).catch((error: unknown) => {
      if (isStoreDown(error)) throw error;
      return undefined;
    });
    return outcome ?? this.#runByUnits(tenant, input);
  }

  async #runByUnits(tenant: string, input: PushInput): Promise<PushOutcome> {
    // A probe: an empty push fails only if the store is down, and then no operation is to blame.
    const probe = await this.#transactOne(tenant, { ...input, operations: [] });
    if (probe.kind !== "answered") return probe;

    const results: OperationResult[] = [];
    const ids = new Set(input.operations.map(({ id }) => id));
    // What one push may ask for is the same however it is tried.
    const { units, putOff } = withinBudget(unitsOf(input.session.catalog, input.operations));
    const copyBytes = input.copyBytes / units.length;
    let answered = 0;
    for (const { members } of units) {
      if (answered > answerBytesOf(input)) {
        results.push(...members.map(putOffResult));
        continue;
      }
      try {
        const [outcome] = await this.#transact(tenant, [{ ...input, operations: members, copyBytes }], MAX_RUNS_ALONE);
        if (outcome === undefined) continue;
        if (outcome.kind !== "answered") return outcome;
        const own = new Set(members.map(({ id }) => id));
        const theirs = outcome.results.filter(({ id }) => own.has(id));
        answered += jsonBytes(JSON.stringify(theirs));
        results.push(...theirs);
      } catch (error) {
        if (isStoreDown(error)) throw error;
        this.#parts.logger.error("Operations failed alone", {
          operations: members.map(({ id }) => id),
          cause: String(error),
        });
        results.push(
          ...members.map((member) => retry(member, "internal", "The server failed on this operation", POISON_RETRY_MS)),
        );
      }
    }
    results.push(...putOff.flatMap(({ members }) => members.map(putOffResult)));
    // Another empty push: its answer has the mark after all units, and the device's other results.
    const last = await this.#transactOne(tenant, { ...input, operations: [] });
    if (last.kind !== "answered") return last;
    const touched = input.operations.flatMap(({ parsed }) =>
      parsed.ok ? [{ collection: parsed.value.collection, scope: undefined }] : [],
    );
    return { ...last, results: [...results, ...last.results.filter(({ id }) => !ids.has(id))], touched };
  }

  async #transactOne(tenant: string, input: PushInput): Promise<PushOutcome> {
    const [outcome] = await this.#transact(tenant, [input]);
    return outcome as PushOutcome;
  }

  #transact(tenant: string, inputs: readonly PushInput[], maxRuns = MAX_RUNS): Promise<readonly PushOutcome[]> {
    return commitDecision<readonly PushOutcome[]>(this.#parts, tenant, {
      maxRuns,
      maxBytes: inputs.length > 1 ? LOADED_BYTES : LOADED_BYTES_OF_UNIT,
      // All of them, each time: one that has no more to look at looks at nothing.
      prefetch: (ws) => inputs.map((input) => prefetch(ws, input)).includes(true),
      foresee: (ws) => {
        for (const input of inputs) foresee(ws, input);
      },
      decide: (ws) => inputs.map((input) => decidePush(ws, input)),
    });
  }
}

/** Whether it would do in smaller parts. */
function isTooMuch(error: unknown): boolean {
  return error instanceof TooManyRuns || error instanceof TooMuchLoaded;
}

/**
 * Whether the store itself reports that nothing can be stored now: no operation caused that, and trying again at once
 * would not help.
 */
function isStoreDown(error: unknown): boolean {
  return isTillSyncError(error) && error.code.startsWith("storage_");
}

/** Takes the jobs that share the next transaction: at least one. */
function nextOf(waiting: Job[]): readonly Job[] {
  let bytes = 0;
  const end = waiting.findIndex(({ input }, index) => {
    bytes += input.sentBytes;
    return index > 0 && (index >= MAX_JOINED || bytes > MAX_JOINED_BYTES);
  });
  return waiting.splice(0, end === -1 ? waiting.length : end);
}
