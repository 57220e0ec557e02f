/**
 * Waits for the server's verdict on a record. It refers to the record and not to a write, so it works after a reload.
 */
import { aborted } from "../../shared/abort.ts";
import { verdictOf } from "../decide/desk-view.ts";
import { recordOf } from "../decide/record.ts";
import { isIn, type StoredOperation } from "../state/operation.ts";
import type { StoredRow } from "../state/rows.ts";
import { OPERATIONS, SUBJECT_INDEX, subjectRange, tableOf } from "../state/tables.ts";
import type { LocalStore } from "../store/local-store.ts";
import type { CommitFeed } from "../tab/commit-feed.ts";
import type { Verdict } from "../types/record.ts";

/** `signals`: each of them ends the wait. */
export interface SettlementRequest {
  readonly store: LocalStore;
  readonly feed: CommitFeed;
  readonly collection: string;
  readonly id: string;
  readonly signals: readonly (AbortSignal | undefined)[];
}

type Settled =
  | { readonly state: "applied"; readonly record: object; readonly flags: readonly unknown[] }
  | { readonly state: "deleted" }
  | { readonly state: "conflict"; readonly conflictId: string }
  | { readonly state: "quarantined" | "rejected"; readonly reason: Verdict };

/**
 * Resolves with the verdict, which is data even if it is a refusal. Rejects only on abort, on close, or if the store
 * can't be read.
 */
export function waitForSettlement(request: SettlementRequest): Promise<Settled> {
  const { store, feed, collection, id, signals } = request;
  return new Promise((resolve, reject) => {
    let checking = false;
    let again = false;
    const check = async (): Promise<void> => {
      again = true;
      if (checking) return;
      checking = true;
      while (again) {
        again = false;
        const settled = await currentSettlement(store, collection, id);
        if (settled) finish(() => resolve(settled));
      }
      checking = false;
    };
    const recheck = () => void check().catch((error: unknown) => finish(() => reject(error)));
    const stop = feed.subscribe((commit) => {
      const own = commit.changes?.some((change) => change.collection === collection && change.id === id);
      if (own || commit.changedElsewhere?.includes(collection)) recheck();
    });
    const abort = () => finish(() => reject(aborted(signals.find((signal) => signal?.aborted))));
    const finish = (end: () => void) => {
      stop();
      for (const signal of signals) signal?.removeEventListener("abort", abort);
      end();
    };
    for (const signal of signals) signal?.addEventListener("abort", abort, { once: true });
    if (signals.some((signal) => signal?.aborted)) abort();
    else recheck();
  });
}

/** The verdict that the store has now; `undefined` while operations on the record wait. */
async function currentSettlement(store: LocalStore, collection: string, id: string): Promise<Settled | undefined> {
  const [row] = await store.get<StoredRow>(tableOf(collection), [id]);
  const states = row?.states ?? {};
  if (states.pending || states.blocked) return undefined;
  if (states.rejected) return { state: "rejected", reason: await reasonOf(store, collection, id, "rejected") };
  if (states.conflict) return { state: "conflict", conflictId: row?.conflictId ?? "" };
  if (states.quarantined) return { state: "quarantined", reason: await reasonOf(store, collection, id, "quarantined") };
  return row?.data
    ? { state: "applied", record: recordOf(id, row.data), flags: row.flags ?? [] }
    : { state: "deleted" };
}

async function reasonOf(
  store: LocalStore,
  collection: string,
  id: string,
  state: "rejected" | "quarantined",
): Promise<Verdict> {
  const operations = await store.scan<StoredOperation>(OPERATIONS, {
    index: SUBJECT_INDEX,
    range: subjectRange(collection, id),
  });
  const judged = operations.map(({ value }) => value).filter((operation) => isIn(operation, state));
  return verdictOf(judged.at(-1)?.status.error ?? { code: "unknown", message: "" });
}
