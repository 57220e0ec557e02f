/** Runs a decision inside a store's script: reads what it lacks, and runs it again until it lacks nothing. */
import { assert } from "../../../shared/assert.ts";
import type { TenantClock } from "../../ports/rows.ts";
import type { StoreRead, StoreScript } from "../../ports/store.ts";
import { WorkingSet } from "./working-set.ts";

/** Each run of a supersede chain may bring one more link to light, and those are bounded. */
const MAX_RUNS = 100;

/** A defect in a decision, and not a failure of the store that runs it. */
export class DecisionFailure extends Error {
  override readonly name = "DecisionFailure";

  constructor(cause: unknown) {
    super(`A decision failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

export interface Decision<T> {
  /** Looks at the rows that will be wanted; what it returns is ignored. */
  readonly prefetch?: ((ws: WorkingSet) => void) | undefined;
  readonly decide: (ws: WorkingSet) => T;
}

export interface Decided<T> {
  readonly value: T;
  readonly ws: WorkingSet;
}

/** The clock is read first, and alone: everything else hangs on it. */
export function* runDecision<T>({
  prefetch,
  decide,
}: Decision<T>): Generator<readonly StoreRead[], Decided<T>, readonly unknown[]> {
  const [clock] = yield [{ kind: "clock" }];
  const ws = new WorkingSet(clock as TenantClock | undefined);
  if (prefetch !== undefined && ws.hasClock) {
    attempt(() => prefetch(ws));
    yield* load(ws);
  }
  for (let runs = 0; runs < MAX_RUNS; runs++) {
    ws.restart();
    const value = attempt(() => decide(ws));
    if (!ws.incomplete) return { value, ws };
    yield* load(ws);
  }
  assert(false, `a decision still lacked rows after ${MAX_RUNS} runs`);
}

function attempt<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new DecisionFailure(cause);
  }
}

function* load(ws: WorkingSet): Generator<readonly StoreRead[], void, readonly unknown[]> {
  const needs = ws.needs();
  if (needs.length === 0) return;
  const answers = yield needs;
  for (const [index, need] of needs.entries()) ws.load(need as never, answers[index] as never);
}

/** What the caller gets of a transaction: the value, and what to log once it is committed. */
export type CommittedDecision<T> = { readonly value: T; readonly logged: WorkingSet["logged"] };

export function asScript<T>(decision: Decision<T>): () => StoreScript<CommittedDecision<T>> {
  return function* script() {
    const { value, ws } = yield* runDecision(decision);
    return { value: { value, logged: ws.logged }, writes: ws.writes() };
  };
}
