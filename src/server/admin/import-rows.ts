/** `importRows`: writes rows from the server's side, for seeds and migrations from another system. */
import { isId } from "../../protocol/values.ts";
import { zeroCounters } from "../../schema/counters.ts";
import type { CollectionMap, RecordOf } from "../../schema/types.ts";
import { systemClock } from "../../shared/clock.ts";
import { type CounterValue, isCounterStep } from "../../shared/counter-step.ts";
import { invalidOption, TillSyncError } from "../../shared/errors.ts";
import { deepEqual, type Json, type JsonObject, jsonFault, toJson } from "../../shared/json.ts";
import { systemRandom } from "../../shared/random.ts";
import type { ServedCollection } from "../decide/rows/catalog.ts";
import { checkData, currentRow, draftScope, type RowDraft, recordOf, without, writeRow } from "../decide/rows/rows.ts";
import { asScript, DecisionFailure } from "../decide/rows/run.ts";
import type { WorkingSet } from "../decide/rows/working-set.ts";
import type { ServerStore } from "../ports/store.ts";
import { type AdminPorts, checkTarget, type LooseBranch, mint, readClock, servedOf } from "./target.ts";

type ImportedRow = Readonly<Record<string, unknown>> & { readonly id: string };

/** The options of {@link importRows}. */
export interface ImportOptions<C extends CollectionMap, N extends keyof C & string> extends AdminPorts {
  /** The database to write to. */
  readonly store: ServerStore;
  /** The collections of the server. */
  readonly collections: C;
  /** The tenant that gets the rows. */
  readonly tenant: string;
  /** The collection that gets the rows. */
  readonly collection: N;
  /**
   * Whole records. They overwrite what is there: a field that a row lacks gets its default, or is removed. A counter is
   * set to the value that the row names, and steps that tills send afterwards are added to it, whenever they were made;
   * a counter that the row does not name keeps its value.
   */
  readonly rows: Iterable<ImportedRow> | AsyncIterable<ImportedRow>;
  /**
   * The branch that sees a row. An import bypasses policies: if the collection's policy has a `scope` by branch, pass
   * the same function here.
   *
   * @default the whole tenant: the tills of every branch see the row
   */
  readonly branch?: ((record: RecordOf<C[N]>) => string | undefined) | undefined;
  /** Who imports, for the journal of commits. @default none */
  readonly actor?: string | undefined;
}

const BATCH = 500;

/**
 * Writes rows from the server's side: seeds, migrations from another system. Each batch is one commit, which tills pull
 * like any other change. Rows overwrite what is there.
 *
 * Only what differs is written. A row in which nothing differs keeps its version, and no till pulls it. In a row that is
 * written, only the fields with a new value count as changed: an edit that a till made before the import conflicts with
 * it only if both changed the same field. A counter is never in conflict.
 *
 * @returns how many rows were imported, those in which nothing differed included
 * @throws TillSyncError `validation_failed`; the batches before that row were written
 */
export async function importRows<const C extends CollectionMap, N extends keyof C & string>(
  options: ImportOptions<C, N>,
): Promise<number> {
  const { store, tenant, rows, actor, clock = systemClock, random = systemRandom } = options;
  checkTarget(store, tenant);
  const served = servedOf(options.collections, options.collection, options.branch as LooseBranch | undefined);
  if ((await readClock(store, tenant)) === undefined) await mint(store, tenant, options, { observed: undefined });
  let imported = 0;
  for await (const batch of batches(rows, BATCH)) {
    const commitId = random.uuid();
    const decide = (ws: WorkingSet) => {
      let isChanged = false;
      for (const row of batch) if (importRow(ws, served, row, commitId)) isChanged = true;
      if (isChanged)
        ws.putCommit({ id: commitId, position: ws.take(commitId), kind: "import", actor, at: clock.now() });
    };
    const prefetch = (ws: WorkingSet) => {
      for (const { id } of batch) ws.record(served.name, id);
    };
    await store.transact(tenant, asScript({ prefetch, decide })).catch(throwCause);
    imported += batch.length;
  }
  return imported;
}

/** Returns whether the row was written: not if it is already as it would be. */
function importRow(ws: WorkingSet, served: ServedCollection, row: ImportedRow, commitId: string): boolean {
  const { id } = row;
  if (!isId(id))
    throw invalidOption("rows", "rows whose `id` is 1 to 64 of A-Z a-z 0-9 _ -", id, "Ids are used in URLs and keys.");
  const fault = jsonFault(row, { allowUndefined: true });
  if (fault !== undefined) throw refused(served, id, [{ path: fault.path, message: fault.reason }]);
  const data = toJson(row) as JsonObject;
  const before = currentRow(ws, served, id);
  const counters = importedCounters(served, id, data, before?.counters);
  const checked = checkData(served, id, without(data, ["id", ...served.resolved.counters]), counters);
  if (!checked.ok) throw refused(served, id, checked.issues);
  const live = before?.state === "live" ? before : undefined;
  const draft: RowDraft = {
    served,
    id,
    before,
    state: "live",
    data: checked.data,
    counters,
    isCreation: live === undefined,
    writtenFields: changedFields(live?.data ?? {}, checked.data),
    writer: "import",
  };
  const isSame = live !== undefined && deepEqual(recordOf(served, live), recordOf(served, draft));
  if (isSame && live.scope === draftScope(draft)) return false;
  writeRow(ws, draft, commitId);
  return true;
}

function changedFields(before: JsonObject, after: JsonObject): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !deepEqual(before[name], after[name]));
}

/** A counter that the row does not name keeps its value. */
function importedCounters(
  served: ServedCollection,
  id: string,
  data: JsonObject,
  before: Readonly<Record<string, CounterValue>> | undefined,
): Readonly<Record<string, CounterValue>> {
  const counters: Record<string, CounterValue> = { ...before };
  const zeros = zeroCounters(served.resolved, {});
  for (const name of served.resolved.counters) {
    const value: Json | undefined = data[name];
    if (value === undefined) continue;
    // The schema's bounds are not asked [H4], so its type is.
    if (!isCounterStep(value) || typeof value !== typeof zeros[name]) {
      const message = "a counter starts from a safe integer, or from a decimal string";
      throw refused(served, id, [{ path: name, message }]);
    }
    counters[name] = value;
  }
  return counters;
}

function refused(
  served: ServedCollection,
  id: string,
  issues: readonly { path: string; message: string }[],
): TillSyncError {
  const [first] = issues;
  return new TillSyncError(
    "validation_failed",
    `Expected a record of \`${served.name}\` that its schema accepts: \`${id}\` ${first?.path} ${first?.message}.`,
    { collection: served.name, id, issues: issues.map(({ path, message }) => ({ message, path: [path] })) },
  );
}

async function* batches<T>(rows: Iterable<T> | AsyncIterable<T>, size: number): AsyncIterable<readonly T[]> {
  let batch: T[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The caller learns what is wrong with a row, not that a decision failed. */
function throwCause(error: unknown): never {
  throw error instanceof DecisionFailure ? error.cause : error;
}
