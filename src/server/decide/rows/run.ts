/**
 * Runs a decision inside a store's script: prefetches, runs it, reads the rows that it lacked, and runs it again until
 * it lacks none.
 */
import { assert } from "../../../shared/assert.ts";
import { messageOf } from "../../../shared/errors.ts";
import type { TenantClock } from "../../ports/rows.ts";
import type { StoreReadScript, StoreScript } from "../../ports/store.ts";
import { WorkingSet } from "./working-set.ts";

/** Each run may reveal one more link of a supersede chain, and those chains are bounded. */
const MAX_RUNS = 100;

/** A defect in a decision, as opposed to a failure of the store that runs it. */
export class DecisionFailure extends Error {
  override readonly name = "DecisionFailure";

  constructor(cause: unknown) {
    super(`A decision failed: ${messageOf(cause)}`, { cause });
  }
}

export interface Decision<T> {
  /** Looks at the rows that will probably be wanted, to have them read in one round. */
  readonly prefetch?: ((ws: WorkingSet) => void) | undefined;
  readonly decide: (ws: WorkingSet) => T;
}

export interface Decided<T> {
  readonly value: T;
  readonly ws: WorkingSet;
}

/** The clock is read first, and alone, because everything else depends on it. */
export function* runDecision<T>({ prefetch, decide }: Decision<T>): StoreReadScript<Decided<T>> {
  const [clock] = yield [{ kind: "clock" }];
  const ws = new WorkingSet(clock as TenantClock | undefined);
  if (prefetch !== undefined && ws.hasClock) {
    wrappingFailures(() => prefetch(ws));
    yield* loadMissing(ws);
  }
  for (let runs = 0; runs < MAX_RUNS; runs++) {
    ws.restart();
    const value = wrappingFailures(() => decide(ws));
    if (!ws.lacksRows) return { value, ws };
    yield* loadMissing(ws);
  }
  assert(false, `a decision still lacked rows after ${MAX_RUNS} runs`);
}

function wrappingFailures<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new DecisionFailure(cause);
  }
}

function* loadMissing(ws: WorkingSet): StoreReadScript<void> {
  const reads = ws.missingReads();
  if (reads.length === 0) return;
  const answers = yield reads.map(({ request }) => request);
  for (const [index, { take }] of reads.entries()) take(answers[index]);
}

/** What the caller of a transaction gets: the value, and what to log once it is committed. */
export type CommittedDecision<T> = { readonly value: T; readonly logged: WorkingSet["logged"] };

export function asScript<T>(decision: Decision<T>): () => StoreScript<CommittedDecision<T>> {
  return function* script() {
    const { value, ws } = yield* runDecision(decision);
    return { value: { value, logged: ws.logged }, writes: ws.writes() };
  };
}
