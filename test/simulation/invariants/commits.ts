/**
 * What must hold of every answer that a till takes, at the moment at which it takes it: the next answer would hide it [C4, C6, C7, C8].
 */
import { get, readAll, type StorageRead, type StorageWrite } from "../../../src/client/ports/storage.ts";
import { IDENTITY, type Identity, SYNC, type SyncPoint } from "../../../src/client/state/meta.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import type { StoredRow } from "../../../src/client/state/rows.ts";
import { META, OPERATIONS, tableOf } from "../../../src/client/state/tables.ts";
import { type HeardAnswer, heardAs } from "../machines/heard.ts";
import type { Tab } from "../machines/tab.ts";
import { down, plainOperation } from "../versions.ts";

type Put = Extract<StorageWrite, { kind: "put" }>;
type Reads = Generator<readonly StorageRead[], void, readonly unknown[]>;

export function* judgeAnswer(tab: Tab, writes: readonly StorageWrite[], point: SyncPoint | undefined): Reads {
  const [identity] = yield* get<Identity>(META, [IDENTITY]);
  const puts = writes.filter((write): write is Put => write.kind === "put");
  const next = puts.find(({ table, key }) => table === META && key === SYNC)?.value as SyncPoint | undefined;
  for (const lane of ["push", "pull"] as const) {
    const mark = next?.marks[lane];
    if (mark === undefined || mark === point?.marks[lane]) continue;
    const answer = tab.answered.get(heardAs(lane, mark));
    forgotten(tab, answer);
    if (answer?.askers.has(`${identity?.incarnation} ${point?.epoch}`) !== true)
      tab.machine.world.violation("S9", `${tab.name} took an answer to a ${lane} of another incarnation or epoch`);
  }
  const rows = puts.filter(({ table }) => table.startsWith("c:"));
  for (const { table, key, value } of rows) noBackwards(tab, `${table.slice(2)}/${key}`, value as StoredRow);
  yield* keepsOwnEdits(tab, puts);
  yield* noDoubleCount(tab, rows, puts);
}

/** A base gives way to newer ones only; after a resync to any. */
function noBackwards({ name, machine }: Tab, subject: string, { version, generation }: StoredRow): void {
  const known = machine.heights.get(subject);
  if (known && known.generation === generation && version < known.version)
    machine.world.violation("S9", `${name} took version ${version} of ${subject} after ${known.version}`);
  machine.heights.set(subject, { version, generation });
}

/** What is deleted is as high as any row: also where nothing of it is stored. */
function forgotten({ machine }: Tab, answer: HeardAnswer | undefined): void {
  const { heights } = machine;
  for (const { subject, version, by } of answer?.deleted ?? []) {
    const known = heights.get(subject);
    // What only a clone has done is passed over: it comes with the rows.
    if (by !== undefined && !machine.operations().some(({ id }) => id === by)) continue;
    if (known && known.version < version) heights.set(subject, { ...known, version });
  }
}

/** Where the base has an increment in it, the increment must not be summed on top of it any more. */
function* noDoubleCount({ name, machine }: Tab, rows: readonly Put[], puts: readonly Put[]): Reads {
  const { world } = machine;
  const counted = rows.filter(({ value }) => (value as StoredRow).delta !== undefined);
  // After a restore bases of several histories lie side by side, and what they hold cannot be told from what the server has now.
  if (counted.length === 0 || world.server.wasRestored) return;
  const { operations = [] } = world.server.rows();
  const applied = new Map(operations.filter(({ status }) => status === "applied").map((row) => [row.id, row.version]));
  const next = new Map(puts.filter(({ table }) => table === OPERATIONS).map(({ key, value }) => [key, value]));
  const ids = machine.operations().map(({ id }) => id);
  const [stored] = (yield* readAll([{ kind: "get", table: OPERATIONS, keys: ids }])) as [readonly StoredOperation[]];
  for (const before of stored) {
    const { id, action, status, collection, entityId } = (next.get(before.id) as StoredOperation | undefined) ?? before;
    const { state } = status;
    if (action !== "increment" || !/^(pending|blocked)$/.test(state)) continue;
    const row = counted.find(({ table, key }) => table === `c:${collection}` && key === entityId)?.value as StoredRow;
    if (row !== undefined && (applied.get(id) ?? Number.POSITIVE_INFINITY) <= row.version)
      world.violation("S6", `${name} counts ${id} twice: version ${row.version} of ${collection}/${entityId} has it`);
  }
}

/**
 * An edit that was applied is in its row. A till that is older than its server can't read the row of the answer, and must not take back what
 * it has shown before [H7].
 */
function* keepsOwnEdits({ name, machine }: Tab, puts: readonly Put[]): Reads {
  const edits = puts
    .filter(({ table }) => table === OPERATIONS)
    .map(({ value }) => plainOperation(value as StoredOperation))
    .filter(
      ({ action, schemaVersion, acknowledged }) => action === "update" && schemaVersion <= machine.app && !acknowledged,
    );
  /** Of each field what the last edit made of it, and what the row says. */
  const found = new Map<string, { readonly id: string; readonly wanted: unknown; readonly shown: unknown }>();
  for (const { id, collection, entityId, status, baseVersion, patch = {}, unset = [] } of edits.toSorted(
    (a, b) => a.rank - b.rank,
  )) {
    if (status.state !== "applied") continue;
    const table = tableOf(collection);
    const after = puts.find((put) => put.table === table && put.key === entityId)?.value as StoredRow | undefined;
    const [[operation], [before]] = (yield* readAll([
      { kind: "get", table: OPERATIONS, keys: [id] },
      { kind: "get", table, keys: [entityId] },
    ])) as [readonly StoredOperation[], readonly StoredRow[]];
    if (!/^(pending|blocked)$/.test(operation?.status.state ?? "") || operation?.missingSince !== undefined) continue;
    // Where the row was taken from the answer, or was another one than the edit was made on, it says what others did.
    const isAmended = after?.version === before?.version && after?.generation === before?.generation;
    const isReadable = before !== undefined && (before.schemaVersion ?? 1) <= machine.app;
    if (!isAmended || !isReadable || before.version !== baseVersion || (status.version ?? 0) <= before.version)
      continue;
    const base = after?.base === undefined ? after?.data : after.base;
    const shown: Readonly<Record<string, unknown>> = base ? down(after?.schemaVersion ?? 1, collection, base) : {};
    for (const field of [...Object.keys(patch), ...unset])
      found.set(`${collection}/${entityId} ${field}`, { id, wanted: patch[field], shown: shown[field] });
  }
  for (const [what, { id, wanted, shown }] of found)
    if (JSON.stringify(wanted) !== JSON.stringify(shown))
      machine.world.violation(
        "S10",
        `${id} is applied, and ${what} of ${name} is ${JSON.stringify(shown)}, not ${JSON.stringify(wanted)}`,
      );
}
