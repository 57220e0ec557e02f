/**
 * Runs a decision inside a store's script: prefetches, runs it, reads the rows that it lacked, and runs it again until
 * it lacks none.
 */
import { messageOf } from "../../../shared/errors.ts";
import type { TenantClock } from "../../ports/rows.ts";
import type { StoreReadScript, StoreScript } from "../../ports/store.ts";
import { weightOf } from "./weight.ts";
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

/** The decision has read too much. It is no failure either: in smaller parts it reads less at a time. */
export class TooMuchLoaded extends Error {
  override readonly name = "TooMuchLoaded";

  constructor(bytes: number) {
    super(`A decision wanted more than ${bytes} bytes of rows in memory`);
  }
}

/** What may be as large as the shop's data. Results have a bound of their own: they are read by pages. */
const WEIGHED: ReadonlySet<string> = new Set(["records", "operations", "members", "conflicts", "conflictsOf"]);

/** A defect in a decision, as opposed to a failure of the store that runs it. */
export class DecisionFailure extends Error {
  override readonly name = "DecisionFailure";

  constructor(cause: unknown) {
    super(`A decision failed: ${messageOf(cause)}`, { cause });
  }
}

export interface Decision<T> {
  /**
   * Looks at the rows that will probably be wanted, to have them read in one round. If it returns `true`, it is called
   * again for more of them when those were read.
   */
  readonly prefetch?: ((ws: WorkingSet) => unknown) | undefined;
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
  /**
   * How many bytes of rows it may read, about.
   * @default no bound
   * @throws TooMuchLoaded
   */
  readonly maxBytes?: number | undefined;
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
  maxBytes = Number.POSITIVE_INFINITY,
}: Decision<T>): StoreReadScript<Decided<T>> {
  const [clock] = yield [{ kind: "clock" }];
  const ws = new WorkingSet(clock as TenantClock | undefined);
  for (let isMore = prefetch !== undefined && ws.hasClock; isMore; ) {
    isMore = wrappingFailures(() => prefetch?.(ws) === true);
    yield* loadMissing(ws, maxBytes);
  }
  for (let links = 0; foresee !== undefined && ws.hasClock && links < MAX_LINKS; links++) {
    ws.restart();
    wrappingFailures(() => foresee(ws));
    if (!ws.lacksRows) break;
    yield* loadMissing(ws, maxBytes);
  }
  for (let runs = 0; runs < maxRuns; runs++) {
    ws.restart();
    const value = wrappingFailures(() => decide(ws));
    if (!ws.lacksRows) return { value, ws };
    yield* loadMissing(ws, maxBytes);
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

/** In rounds, so that little more than the bound is in memory before it is noticed (L12). */
function* loadMissing(ws: WorkingSet, maxBytes: number): StoreReadScript<void> {
  let left = ws.missingReads();
  for (let now = 0; left.length > 0; now++) {
    const reads = left.filter(({ round }) => round === now);
    left = left.filter(({ round }) => round > now);
    const answers = yield reads.map(({ request }) => request);
    for (const [index, { request, take }] of reads.entries()) {
      take(answers[index]);
      if (WEIGHED.has(request.kind)) ws.noteLoaded(weightOf(answers[index]));
    }
    if (ws.loadedBytes > maxBytes) throw new TooMuchLoaded(maxBytes);
  }
}

/** What the caller of a transaction gets: the value, and what to log once it is committed. */
export type CommittedDecision<T> = { readonly value: T; readonly logged: WorkingSet["logged"] };

export function asScript<T>(decision: Decision<T>): () => StoreScript<CommittedDecision<T>> {
  return function* script() {
    const { value, ws } = yield* runDecision(decision);
    return { value: { value, logged: ws.logged }, writes: ws.writes() };
  };
}
