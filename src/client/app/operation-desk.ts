/** The desk of operations: what waits, what was refused, and what people do about it. */
import { copyPatch, type LoosePatch } from "../../schema/patch.ts";
import { operationView } from "../decide/desk-view.ts";
import { amendOperation, discardOperation, retryOperations } from "../scripts/desk-actions.ts";
import type { OperationState, StoredOperation } from "../state/operation.ts";
import {
  OPERATIONS,
  STATE_INDEX,
  SUBJECT_INDEX,
  stateRange,
  subjectRange,
  TRANSACTION_INDEX,
  transactionRange,
} from "../state/tables.ts";
import type { LocalStore } from "../store/local-store.ts";
import type { Operation, OperationDesk, OperationFilter, OperationStatus } from "../types/desks.ts";
import { type DeskDeps, keeping, unlessSame } from "./desk-lists.ts";
import { live } from "./live.ts";

/** The stored states that an app sees as one state. */
const STATES: Readonly<Record<OperationStatus["state"], readonly OperationState[]>> = {
  pending: ["pending"],
  in_flight: ["pending"],
  applied: ["applied"],
  blocked: ["blocked"],
  superseded: ["superseded", "closed_elsewhere"],
  conflict: ["conflict"],
  rejected: ["rejected"],
  quarantined: ["quarantined"],
};
const ALL = Object.keys(STATES) as OperationStatus["state"][];

/** The `operations` of a client. */
export function createOperationDesk({ store, writer, feed, inFlight, wake }: DeskDeps): OperationDesk<never> {
  const everything = Object.keys(store.collections);
  const list = async (filter: OperationFilter<string> = {}): Promise<readonly Operation[]> => {
    const wanted = filter.state === undefined ? ALL : [filter.state].flat();
    const found = (await candidates(store, filter, wanted))
      .filter((o) => filter.collection === undefined || o.collection === filter.collection)
      .filter((o) => filter.entityId === undefined || o.entityId === filter.entityId)
      .filter((o) => filter.transaction === undefined || o.transaction === filter.transaction)
      .sort((a, b) => a.sequence - b.sequence)
      .map((operation) => operationView(operation, inFlight))
      .filter((view) => wanted.includes(view.status.state));
    if (filter.after === undefined) return found.slice(0, filter.limit);
    // By its sequence number, not by its place in the list: it may have left the list in the meantime, and a reader of
    // pages must reach the end.
    const [last] = await store.get<StoredOperation>(OPERATIONS, [filter.after]);
    return found.filter((o) => last !== undefined && o.sequence > last.sequence).slice(0, filter.limit);
  };
  const desk = {
    list,
    async get(id: string): Promise<Operation | undefined> {
      const [operation] = await store.get<StoredOperation>(OPERATIONS, [id]);
      return operation && operationView(operation, inFlight);
    },
    live: (filter: OperationFilter<string> & { limit: number }) =>
      live<readonly Operation[]>(
        {
          initial: [],
          read: async (before) => unlessSame(before, await list(filter)),
          failed: keeping(feed),
          subscribe: (changed) => feed.subscribe(() => changed()),
        },
        feed.reportError,
      ),
    async retry(ids: string | readonly string[]): Promise<void> {
      const context = writer.context();
      await writer.commit(everything, () => retryOperations(store.collections, context, [...new Set([ids].flat())]));
      wake();
    },
    async amend(operation: { readonly id: string }, patch: LoosePatch): Promise<void> {
      const context = writer.context();
      const copy = copyPatch(patch);
      await writer.commit(everything, () => amendOperation(store.collections, context, operation.id, copy));
    },
    async discard(
      operation: { readonly id: string },
      options: { reason: string; actor?: string | undefined },
    ): Promise<void> {
      const context = writer.context(options.actor);
      await writer.commit(everything, () => discardOperation(store.collections, context, operation.id, options.reason));
    },
  };
  return desk as unknown as OperationDesk<never>;
}

/**
 * Reads the operations that may match, through the narrowest index that the filter allows: the journal may hold two
 * weeks of sales.
 */
async function candidates(
  store: LocalStore,
  filter: OperationFilter<string>,
  states: readonly OperationStatus["state"][],
): Promise<readonly StoredOperation[]> {
  const scan = async (index: string, range: ReturnType<typeof stateRange>, limit?: number) =>
    (await store.scan<StoredOperation>(OPERATIONS, { index, range, limit })).map(({ value }) => value);
  if (filter.transaction !== undefined) return scan(TRANSACTION_INDEX, transactionRange(filter.transaction));
  if (filter.entityId !== undefined && filter.collection !== undefined)
    return scan(SUBJECT_INDEX, subjectRange(filter.collection, filter.entityId));
  const stored = new Set(states.flatMap((state) => STATES[state]));
  // A first page without other filters needs at most `limit` operations of each state.
  const limit =
    filter.after === undefined &&
    filter.collection === undefined &&
    filter.entityId === undefined &&
    // `pending` and `in_flight` are stored as one state, and only this client knows which operations are in flight.
    states.includes("pending") === states.includes("in_flight")
      ? filter.limit
      : undefined;
  return (await Promise.all([...stored].map((state) => scan(STATE_INDEX, stateRange(state), limit)))).flat();
}
