/** What tools do to a store without a request: imports, reports, restores, revocations. */

import { isId } from "../protocol/values.ts";
import { checkCollections } from "../schema/collections.ts";
import type { CollectionMap, RecordOf } from "../schema/types.ts";
import { systemClock } from "../shared/clock.ts";
import { type CounterValue, isCounterStep } from "../shared/counter-step.ts";
import { systemDigest } from "../shared/digest.ts";
import { invalidOption, TillSyncError } from "../shared/errors.ts";
import { type Json, type JsonObject, jsonFault, toJson } from "../shared/json.ts";
import { type Logger, silentLogger } from "../shared/logger.ts";
import { systemRandom } from "../shared/random.ts";
import type { LoosePolicy, ServedCollection } from "./decide/rows/catalog.ts";
import { checkData, currentRow, readFeedRow, recordOf, without, writeRow } from "./decide/rows/rows.ts";
import { asScript } from "./decide/rows/run.ts";
import type { WorkingSet } from "./decide/rows/working-set.ts";
import { checkStore } from "./options.ts";
import { ask, type FeedPage, type ServerStore } from "./ports/store.ts";
import { beginEpoch, type MintReason } from "./service/begin-epoch.ts";
import { Seal } from "./tokens/seal.ts";
import { Tokens } from "./tokens/tokens.ts";

interface Ports {
  readonly clock?: { now(): number } | undefined;
  readonly random?: { uuid(): string; unit(): number } | undefined;
  readonly logger?: Logger | undefined;
}

type ImportedRow = Readonly<Record<string, unknown>> & { readonly id: string };

export interface ImportOptions<C extends CollectionMap, N extends keyof C & string> extends Ports {
  readonly store: ServerStore;
  readonly collections: C;
  readonly tenant: string;
  readonly collection: N;
  /** Whole records, counters included. They overwrite what is there. */
  readonly rows: Iterable<ImportedRow> | AsyncIterable<ImportedRow>;
  /**
   * The branch that sees a row. An import sees no policy: where the collection's has a `scope` by branch, hand in the same function.
   * @default the whole tenant: the tills of every branch see the row
   */
  readonly branch?: ((record: RecordOf<C[N]>) => string | undefined) | undefined;
  /** Who is named in the journal. */
  readonly actor?: string | undefined;
}

const IMPORT_BATCH = 500;

/**
 * Writes rows from the server's side: seeds, migrations from another system. Each batch is one commit, which tills pull like any
 * other change. It overwrites; an edit that a till made before is in conflict with it.
 *
 * @returns how many rows were written
 * @throws TillSyncError `validation_failed`, with what came before it written
 */
export async function importRows<const C extends CollectionMap, N extends keyof C & string>(
  options: ImportOptions<C, N>,
): Promise<number> {
  const { store, tenant, rows, actor, clock = systemClock, random = systemRandom, logger = silentLogger } = options;
  checkTarget(store, tenant);
  const served = servedOf(options.collections, options.collection, options.branch as LooseBranch | undefined);
  await ensureEpoch({ store, clock, random, logger }, tenant);
  let written = 0;
  for await (const batch of batches(rows, IMPORT_BATCH)) {
    const commitId = random.uuid();
    const decide = (ws: WorkingSet) => {
      for (const row of batch) importRow(ws, served, row, commitId);
      ws.putCommit({ id: commitId, position: ws.take(commitId), kind: "import", actor, at: clock.now() });
    };
    const prefetch = (ws: WorkingSet) => {
      for (const { id } of batch) ws.record(served.name, id);
    };
    await store.transact(tenant, asScript({ prefetch, decide })).catch(unwrap);
    written += batch.length;
  }
  return written;
}

function importRow(ws: WorkingSet, served: ServedCollection, row: ImportedRow, commitId: string): void {
  const { id } = row;
  if (!isId(id))
    throw invalidOption("rows", "rows whose `id` is 1 to 64 of A-Z a-z 0-9 _ -", id, "Ids travel in URLs and keys.");
  const fault = jsonFault(row, { allowUndefined: true });
  if (fault !== undefined) throw refused(served, id, [{ path: fault.path, message: fault.reason }]);
  const data = toJson(row) as JsonObject;
  const before = currentRow(ws, served, id);
  const counters: Record<string, CounterValue> = { ...before?.counters };
  for (const name of served.resolved.counters) {
    const value: Json | undefined = data[name];
    if (value === undefined) continue;
    if (!isCounterStep(value)) {
      const message = "a counter starts from a safe integer, or from a decimal string";
      throw refused(served, id, [{ path: name, message }]);
    }
    counters[name] = value;
  }
  const checked = checkData(served, id, without(data, ["id", ...served.resolved.counters]), counters);
  if (!checked.ok) throw refused(served, id, checked.issues);
  const writtenFields = Object.keys(checked.data);
  writeRow(
    ws,
    {
      served,
      id,
      before,
      state: "live",
      data: checked.data,
      counters,
      isCreation: before?.state !== "live",
      writtenFields,
      writer: "import",
    },
    commitId,
  );
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

export interface ReadOptions<C extends CollectionMap, N extends keyof C & string> {
  readonly store: ServerStore;
  readonly collections: C;
  readonly tenant: string;
  readonly collection: N;
}

/** What is held at a time. */
const READ_PAGE = { limit: 1_000, bytes: 4 * 1024 * 1024 };

/** All live records of a collection, in the order of their last change, page by page; each page is a snapshot. */
export async function* readRows<const C extends CollectionMap, N extends keyof C & string>({
  store,
  collections,
  tenant,
  collection,
}: ReadOptions<C, N>): AsyncIterable<RecordOf<C[N]>> {
  checkTarget(store, tenant);
  const served = servedOf(collections, collection, undefined);
  let after = 0;
  for (;;) {
    const from = after;
    const { entries, more }: FeedPage = await store.read(tenant, function* script() {
      const clock = yield* ask({ kind: "clock" });
      if (clock === undefined) return { entries: [], more: false };
      return yield* ask({
        kind: "changes",
        collection,
        scopes: "all",
        after: from,
        upTo: clock.position,
        ...READ_PAGE,
      });
    });
    for (const entry of entries) {
      after = entry.row.version;
      if (entry.kind !== "record" || entry.row.state !== "live") continue;
      yield recordOf(served, readFeedRow(served, entry.row)) as unknown as RecordOf<C[N]>;
    }
    if (!more) return;
  }
}

/**
 * Begins a new epoch: call it once for each tenant after a database was put back from a backup, before the first till calls. A server
 * finds out by itself too, when a till shows it what it has lost; only this closes the time until then [C8.2].
 *
 * @returns the epoch that holds now
 */
export async function announceRestore(store: ServerStore, tenant: string, ports: Ports = {}): Promise<string> {
  checkTarget(store, tenant);
  const clock = await store.read(tenant, function* script() {
    return yield* ask({ kind: "clock" });
  });
  return begin(store, tenant, ports, { observed: clock?.epoch, announced: true });
}

/**
 * Revokes a device, or lets it back in: its pushes go into quarantine, and nothing else is answered [H6]. A restored database has
 * forgotten it: keep the list with whoever issues the tokens [M12].
 */
export async function revokeDevice(options: {
  readonly store: ServerStore;
  readonly tenant: string;
  readonly device: string;
  /** `false`: reinstate it. @default true */
  readonly revoked?: boolean | undefined;
  readonly clock?: { now(): number } | undefined;
}): Promise<void> {
  const { store, tenant, device, revoked = true, clock = systemClock } = options;
  checkTarget(store, tenant);
  if (!isId(device)) throw invalidOption("device", "a device's id", device, "It is 1 to 64 of A-Z a-z 0-9 _ -.");
  const at = clock.now();
  const decide = (ws: WorkingSet) => {
    const known = ws.device(device) ?? { ...NOTHING_KNOWN, id: device, registeredAt: at };
    ws.putDevice({ ...known, revokedAt: revoked ? (known.revokedAt ?? at) : undefined });
  };
  await store.transact(tenant, asScript({ decide }));
}

const NOTHING_KNOWN = {
  name: undefined,
  os: undefined,
  appVersion: undefined,
  branch: undefined,
  revokedAt: undefined,
  lastPushAt: undefined,
};

async function ensureEpoch(
  ports: Required<Pick<Ports, "clock" | "random" | "logger">> & { readonly store: ServerStore },
  tenant: string,
): Promise<void> {
  const clock = await ports.store.read(tenant, function* script() {
    return yield* ask({ kind: "clock" });
  });
  if (clock === undefined) await begin(ports.store, tenant, ports, { observed: undefined });
}

function begin(store: ServerStore, tenant: string, ports: Ports, reason: MintReason): Promise<string> {
  const { clock, random, logger } = {
    clock: ports.clock ?? systemClock,
    random: ports.random ?? systemRandom,
    logger: ports.logger ?? silentLogger,
  };
  const tokens = new Tokens(new Seal(store, systemDigest), logger);
  return beginEpoch({ store, clock, random, logger }, tokens, tenant, reason);
}

type LooseBranch = (record: JsonObject) => unknown;

/** A collection without a policy: tools ask nobody, and write where they are told. */
function servedOf(collections: CollectionMap, name: string, branch: LooseBranch | undefined): ServedCollection {
  const resolved = checkCollections(collections);
  const collection = Object.hasOwn(resolved, name) ? resolved[name] : undefined;
  if (collection === undefined)
    throw invalidOption(
      "collection",
      `one of ${Object.keys(resolved).join(", ")}`,
      name,
      "Name a collection that is given.",
    );
  const scope: LoosePolicy["scope"] = branch === undefined ? "tenant" : { branch };
  return { name, resolved: collection, policy: { scope, allow: {} } };
}

function checkTarget(store: unknown, tenant: unknown): void {
  checkStore(store);
  if (!isId(tenant)) throw invalidOption("tenant", "a tenant's id", tenant, "It is 1 to 64 of A-Z a-z 0-9 _ -.");
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

/** What was wrong with a row, and not that a decision failed. */
function unwrap(error: unknown): never {
  throw error instanceof Error && error.name === "DecisionFailure" ? error.cause : error;
}
