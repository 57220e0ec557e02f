/** What the author of an edit had before him, as the disk shows it when the edit is stored: the till's own word about it is not asked. */
import { get, readAll, type StorageRead, type StorageWrite } from "../../../src/client/ports/storage.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import type { StoredRow } from "../../../src/client/state/rows.ts";
import { OPERATIONS, tableOf } from "../../../src/client/state/tables.ts";
import { plainOperation } from "../versions.ts";
import type { Machine } from "./machine.ts";

/** Of each field that an edit touches: the highest version of it that its author can have seen. */
export type Seen = ReadonlyMap<string, number>;
type Reads<T> = Generator<readonly StorageRead[], T, readonly unknown[]>;
type Put = Extract<StorageWrite, { kind: "put" }>;

export const fieldsOf = ({ patch = {}, unset = [] }: Pick<StoredOperation, "patch" | "unset">): readonly string[] => [
  ...Object.keys(patch),
  ...unset,
];

/** For each edit that this transaction stores for the first time. */
export function* seenBy(machine: Machine, writes: readonly StorageWrite[]): Reads<ReadonlyMap<string, Seen>> {
  const known = machine.world.model.operations;
  const found = new Map<string, Seen>();
  const puts = writes.filter((write): write is Put => write.kind === "put");
  const edits = puts
    .filter(({ table }) => table === OPERATIONS)
    .map(({ value }) => plainOperation(value as StoredOperation))
    .filter(({ id, action }) => action === "update" && !known.has(id));
  for (const edit of edits) {
    const table = tableOf(edit.collection);
    // An answer that a resolver replies to brings the row in the same transaction.
    const written = puts.find((put) => put.table === table && put.key === edit.entityId)?.value as
      | StoredRow
      | undefined;
    const [before] = yield* get<StoredRow>(table, [edit.entityId]);
    const version = Math.max(written?.version ?? 0, before?.version ?? 0);
    const open = edit.supersedes ? [] : yield* openEdits(machine, edit);
    const seen = fieldsOf(edit).map((field): [string, number] => {
      // Under an own edit of the same field, nobody sees what a pull has brought.
      const hidden = open.filter((own) => fieldsOf(own).includes(field));
      return [field, Math.min(version, ...hidden.map(({ id }) => known.get(id)?.seen?.get(field) ?? version))];
    });
    found.set(edit.id, new Map(seen));
  }
  return found;
}

function* openEdits(
  machine: Machine,
  { id, collection, entityId }: StoredOperation,
): Reads<readonly StoredOperation[]> {
  const own = machine.operations().filter((o) => o.collection === collection && o.entityId === entityId && o.id !== id);
  if (own.length === 0) return [];
  const [stored] = (yield* readAll([{ kind: "get", table: OPERATIONS, keys: own.map((o) => o.id) }])) as [
    readonly StoredOperation[],
  ];
  return stored
    .map(plainOperation)
    .filter(({ action, status }) => action === "update" && /^(pending|blocked|conflict)$/.test(status.state));
}
