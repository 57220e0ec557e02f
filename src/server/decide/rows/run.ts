/**
 * Runs a decision inside a store's script: prefetches, runs it, reads the rows that it lacked, and runs it again until
 * it lacks none.
 */
import { messageOf } from "../../../shared/errors.ts";
import type { TenantClock } from "../../ports/rows.ts";
import type { StoreReadScript, StoreScript } from "../../ports/store.ts";
import { WorkingSet } from "./working-set.ts";

/** Each run may reveal one more thing that a policy or a chain leads to. */
const MAX_RUNS = 100;
/** Longer than any chain that a decision follows. */
const MAX_LINKS = 60;

/** The decision has run too often. It is no failure: in smaller parts, each of which may run more often, it succeeds. */
export class TooManyRuns extends Error {
  override readonly name = "TooManyRuns";

  constructor(runs: number) {
    super(`A decision still lacked rows after ${runs} runs`);
  }
}

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
  /**
   * Looks at rows that the rows here lead to. It is called until it lacks nothing, before anything is decided: reading
   * one link of a chain costs a round, and not a run of the whole decision.
   */
  readonly foresee?: ((ws: WorkingSet) => void) | undefined;
  /**
   * How often the decision may run.
   * @default 100
   * @throws TooManyRuns
   */
  readonly maxRuns?: number | undefined;
  readonly decide: (ws: WorkingSet) => T;
}

export interface Decided<T> {
  readonly value: T;
  readonly ws: WorkingSet;
}

/** The clock is read first, and alone, because everything else depends on it. */
export function* runDecision<T>({
  prefetch,
  foresee,
  decide,
  maxRuns = MAX_RUNS,
}: Decision<T>): StoreReadScript<Decided<T>> {
  const [clock] = yield [{ kind: "clock" }];
  const ws = new WorkingSet(clock as TenantClock | undefined);
  if (prefetch !== undefined && ws.hasClock) {
    wrappingFailures(() => prefetch(ws));
    yield* loadMissing(ws);
  }
  for (let links = 0; foresee !== undefined && ws.hasClock && links < MAX_LINKS; links++) {
    wrappingFailures(() => foresee(ws));
    if (!ws.lacksRows) break;
    yield* loadMissing(ws);
  }
  for (let runs = 0; runs < maxRuns; runs++) {
    ws.restart();
    const value = wrappingFailures(() => decide(ws));
    if (!ws.lacksRows) return { value, ws };
    yield* loadMissing(ws);
  }
  throw new TooManyRuns(maxRuns);
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
