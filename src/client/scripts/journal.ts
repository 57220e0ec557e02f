/** Keeps the journal bounded (L12). */
import { JOURNAL_WINDOW_MS } from "../../protocol/constants.ts";
import type { StorageWrite } from "../ports/storage.ts";
import { isIn, type StoredOperation } from "../state/operation.ts";
import {
  CONFLICTS,
  OPERATIONS,
  STATE_INDEX,
  stateRange,
  TRANSACTION_INDEX,
  transactionRange,
} from "../state/tables.ts";
import { ask, conflictsIn, operationsIn, type Reads } from "./reads.ts";

/**
 * Returns the writes that delete journal entries whose result is older than the window, by server time, and settled
 * conflicts with them [C8.7]. Each answer of the current epoch deletes a few, the oldest first, and only whole wire
 * transactions.
 */
export function* pruneJournal(serverTime: number): Reads<readonly StorageWrite[]> {
  const horizon = serverTime - JOURNAL_WINDOW_MS;
  const [conflicts, ...finished] = yield* ask([
    conflictsIn(STATE_INDEX, stateRange("settled"), PRUNED_PER_ANSWER),
    ...HISTORY.map((state) => operationsIn(STATE_INDEX, stateRange(state), PRUNED_PER_ANSWER)),
  ]);
  // Only history: what lies on a desk (a rejected edit, a quarantined sale) waits for people, however long (L1).
  const isDue = ({ value }: { readonly value: StoredOperation }) =>
    isIn(value, ...HISTORY) && value.status.result.at < horizon;
  const due = finished.flat().filter(isDue);
  const alone = due.filter(({ value }) => value.group === undefined);
  const groups = new Map(due.map(({ value }) => [value.group, value.transaction]));
  groups.delete(undefined);
  const bound = [...groups].flatMap(([group, transaction]) =>
    transaction === undefined ? [] : [{ group, transaction }],
  );
  const members = yield* ask(
    bound.map(({ transaction }) => operationsIn(TRANSACTION_INDEX, transactionRange(transaction))),
  );
  const whole = bound.flatMap(({ group }, index) => {
    const own = (members[index] ?? []).filter(({ value }) => value.group === group);
    return own.every(isDue) ? own : [];
  });
  const gone = [...alone, ...whole];
  const settled = conflicts.filter(({ value }) => (value.settled?.at ?? horizon) < horizon);
  return [
    ...gone.map(({ primary }): StorageWrite => ({ kind: "delete", table: OPERATIONS, key: primary })),
    ...settled.map(({ primary }): StorageWrite => ({ kind: "delete", table: CONFLICTS, key: primary })),
  ];
}

const PRUNED_PER_ANSWER = 4;
const HISTORY = ["applied", "superseded", "closed_elsewhere"] as const;
