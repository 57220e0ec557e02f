/** S5, S10, S13: what the server has let take effect, told by what it has kept of it: in order, once, seen, and by whoever may. */
import type { OperationRow, StoreWrites } from "../../../src/server/ports/store.ts";
import { grouped } from "../engine/grouped.ts";
import type { World } from "../world.ts";
import type { Invariant } from "./invariant.ts";

const subjectOf = ({ collection, entityId }: OperationRow) => `${collection}/${entityId}`;
const isEdit = ({ operation, collection }: OperationRow) =>
  (collection === "products" || collection === "customers" || collection === "seats") &&
  /^(create|update|delete)$/.test(operation?.action ?? "");
const isApplied = ({ status }: OperationRow) => status === "applied";

export const history: Invariant = {
  name: "S10",
  check(world) {
    const rows = world.server.rows();
    const all = rows.operations ?? [];
    superseded(world, all);
    revoked(world, rows);
    // A restore gives out positions anew, and lets in what was judged before.
    if (rows.epochs?.length !== 1) return;
    const edits = grouped(all.filter(isEdit), subjectOf);
    for (const [subject, ops] of edits) {
      inOrder(world, subject, ops);
      unseen(world, subject, ops);
      withHimself(world, rows, subject, ops);
    }
  },
};

/** What was replaced must not have taken effect beside what replaced it [C3]. */
function superseded(world: World, all: readonly OperationRow[]): void {
  const byId = new Map(all.map((row) => [row.id, row]));
  for (const { id, operation } of all.filter(isApplied))
    for (const earlier of operation?.supersedes ?? [])
      if (byId.get(earlier)?.status === "applied")
        world.violation("S10", `${earlier} took effect, and ${id}, which replaces it, too`);
}

/** One that was corrected comes when it was corrected. */
const isFirst = ({ operation }: OperationRow) => (operation?.supersedes ?? []).length === 0;

/** One till's edits of a row take effect in the order in which they were made [C2]. Two stores under one name have no common order. */
function inOrder(world: World, subject: string, ops: readonly OperationRow[]): void {
  const known = world.model.operations;
  const rankOf = ({ id }: OperationRow) => known.get(id)?.operation.rank ?? 0;
  const unique = ops
    .filter(({ device }) => world.model.isUnique(device))
    .filter(isApplied)
    .filter(isFirst);
  for (const [, own] of grouped(unique, ({ incarnation }) => incarnation)) {
    own.sort((a, b) => rankOf(a) - rankOf(b));
    for (const [at, row] of own.entries()) {
      const before = own[at - 1];
      if (before && before.position > row.position)
        world.violation("S5", `${before.id} of ${subject} took effect after ${row.id}, which was made after it`);
    }
  }
}

/**
 * No edit overwrites a field that another till wrote after its author had looked [C5]. He has looked, too, where an earlier edit of his
 * was in conflict, and he has settled that: what he had pending behind it comes after.
 */
function unseen(world: World, subject: string, ops: readonly OperationRow[]): void {
  const updates = ops.filter(isApplied).flatMap((row) => {
    const { operation } = row;
    if (operation?.action !== "update" || operation.force) return [];
    const fields = [...Object.keys(operation.patch), ...(operation.unset ?? [])];
    return [{ ...row, fields, base: operation.baseVersion }];
  });
  for (const one of updates)
    for (const other of updates)
      if (
        other.incarnation !== one.incarnation &&
        other.version > one.base &&
        other.version < one.version &&
        other.fields.some((field) => one.fields.includes(field)) &&
        !updates.some(
          (mine) => mine.incarnation === one.incarnation && mine.base >= other.version && mine.version < one.version,
        )
      )
        world.violation("S10", `${one.id} overwrote what ${other.id} had written to ${subject} behind its back`);
}

/** Nobody is in conflict with what he wrote himself [C5]. */
function withHimself(world: World, rows: StoreWrites, subject: string, ops: readonly OperationRow[]): void {
  for (const { operationId, collection, entityId } of rows.conflicts ?? []) {
    const own = ops.find(({ id }) => id === operationId);
    if (own === undefined || `${collection}/${entityId}` !== subject || own.operation?.action === "create") continue;
    const base = own.operation && "baseVersion" in own.operation ? own.operation.baseVersion : 0;
    const others = ops.some(({ incarnation }) => incarnation !== own.incarnation);
    const row = rows.records?.find((one) => one.collection === collection && one.id === entityId);
    const office = Object.values(row?.fields ?? {}).some(
      ([version, writer]) => version > base && writer !== own.incarnation,
    );
    if (!others && !office)
      world.violation("S10", `${operationId} of ${subject} is in conflict, and nobody else wrote`);
  }
}

/** What comes from a revoked till is for people to judge [H6]. */
function revoked(world: World, { devices = [], operations = [] }: StoreWrites): void {
  for (const { id, revokedAt } of devices) {
    if (revokedAt === undefined) continue;
    for (const row of operations)
      if (row.device === id && row.receivedAt > revokedAt && row.status === "applied" && row.revision === 0)
        world.violation("S13", `${row.id} of ${id} took effect after ${id} was revoked`);
  }
  for (const machine of world.machines) {
    const position = world.server.revokedAt.get(machine.deviceId);
    if (position === undefined) continue;
    const own = new Set(machine.operations().map(({ collection, entityId }) => `${collection}/${entityId}`));
    for (const [subject, { version }] of machine.heights)
      if (version > position && !own.has(subject))
        world.violation("S13", `${machine.name} was told of ${subject} after it was revoked`);
  }
}
