/**
 * Joins the pushes of one tenant that wait inside this process into one transaction: with eight tills on a slow disk 28k operations a
 * second instead of 18k (docs/decisions/coalesced-pushes.md).
 *
 * - No push waits for another to come: what is there when the transaction before has ended goes together.
 * - One till's poison never aborts another's sale [C9]: if a joined transaction fails, each push is tried alone; if one fails alone, each
 *   of its units; what still fails is answered `retry`, and everything else has been stored.
 * - A store that says itself that it is down, or does not even take an empty push, is asked no more: all that waits is unavailable, and
 *   nothing is said about any operation. Trying each alone would keep a busy database busy.
 */
import type { OperationResult } from "../../protocol/types.ts";
import { type Deferred, deferred } from "../../shared/deferred.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import { retry } from "../decide/operation/verdicts.ts";
import { decidePush, type PushInput, type PushOutcome, prefetch } from "../decide/push.ts";
import { asScript, type CommittedDecision } from "../decide/rows/run.ts";
import { unitsOf } from "../decide/transaction.ts";
import type { ServerParts } from "../options.ts";
import { logAll } from "./log.ts";

const MAX_JOINED = 10;
/** What failed alone may be a defect: it helps when somebody has read the log. */
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
      const jobs = this.#waiting.get(tenant)?.splice(0, MAX_JOINED) ?? [];
      if (jobs.length === 0) break;
      // Nobody else would answer these, or take the next: whatever goes wrong, a logger that throws too, must end here.
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
      this.#parts.logger.error("A transaction of pushes failed; each is tried alone", {
        pushes: jobs.length,
        cause: String(error),
      });
      for (const job of jobs) {
        await this.#runAlone(tenant, job.input, jobs.length > 1).then(job.done.resolve, (failure: unknown) => {
          job.done.reject(failure);
          if (isStoreDown(failure)) throw failure;
        });
      }
    }
  }

  async #runAlone(tenant: string, input: PushInput, isUntried: boolean): Promise<PushOutcome> {
    if (isUntried) {
      const outcome = await this.#transactOne(tenant, input).catch((error: unknown) => {
        if (isStoreDown(error)) throw error;
        return undefined;
      });
      if (outcome !== undefined) return outcome;
    }
    // Rejects where the store is down.
    const probe = await this.#transactOne(tenant, { ...input, operations: [] });
    if (probe.kind !== "answered") return probe;

    const results: OperationResult[] = [];
    const ids = new Set(input.operations.map(({ id }) => id));
    for (const { members } of unitsOf(input.session.catalog, input.operations)) {
      try {
        const outcome = await this.#transactOne(tenant, { ...input, operations: members });
        if (outcome.kind !== "answered") return outcome;
        const own = new Set(members.map(({ id }) => id));
        results.push(...outcome.results.filter(({ id }) => own.has(id)));
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
    const last = await this.#transactOne(tenant, { ...input, operations: [] });
    if (last.kind !== "answered") return last;
    const touched = [
      ...new Set(input.operations.flatMap(({ parsed }) => (parsed.ok ? [parsed.value.collection] : []))),
    ];
    return { ...last, results: [...results, ...last.results.filter(({ id }) => !ids.has(id))], touched };
  }

  async #transactOne(tenant: string, input: PushInput): Promise<PushOutcome> {
    const [outcome] = await this.#transact(tenant, [input]);
    return outcome as PushOutcome;
  }

  async #transact(tenant: string, inputs: readonly PushInput[]): Promise<readonly PushOutcome[]> {
    const { store, logger } = this.#parts;
    const committed: CommittedDecision<readonly PushOutcome[]> = await store.transact(
      tenant,
      asScript<readonly PushOutcome[]>({
        prefetch: (ws) => {
          for (const input of inputs) prefetch(ws, input);
        },
        decide: (ws) => inputs.map((input) => decidePush(ws, input)),
      }),
    );
    logAll(logger, committed.logged, { tenant });
    return committed.value;
  }
}

/** The store's own word that nothing can be stored now: no operation's doing, and nothing that trying again at once would mend. */
function isStoreDown(error: unknown): boolean {
  return isTillSyncError(error) && error.code.startsWith("storage_");
}
