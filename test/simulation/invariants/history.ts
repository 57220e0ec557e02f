/** S5, S10: what the server has let take effect, told by what it has kept of it: in order, once, and seen. */

import type { OperationRow } from "../../../src/server/ports/rows.ts";
import type { StoreWrites } from "../../../src/server/ports/store.ts";
import { grouped } from "../engine/grouped.ts";
import { fieldsOf } from "../machines/seen.ts";
import type { SimWorld } from "../world.ts";
import type { Invariant } from "./invariant.ts";
import { isOfLiar, mayLiar } from "./lies.ts";

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
    settledOnce(world, rows);
    comeBack(world, rows);
    // A restore gives out positions anew, and lets in what was judged before.
    if (rows.epochs?.length !== 1) return;
    const edits = grouped(all.filter(isEdit), subjectOf);
    for (const [subject, ops] of edits) {
      inOrder(world, subject, ops);
      unseen(world, subject, ops);
      // What a liar has written need not be as it said: a schema may have left something out.
      lost(
        world,
        rows,
        subject,
        ops.filter((row) => !isOfLiar(row)),
      );
      withHimself(world, rows, subject, ops);
    }
  },
};

/** A liar may name anything: that it replaces nothing of others is judged with the lies. */
const isHonest = (row: OperationRow) => isApplied(row) && !isOfLiar(row);

/** What was replaced must not have taken effect beside what replaced it [C3]. */
function superseded(world: SimWorld, all: readonly OperationRow[]): void {
  const byId = new Map(all.map((row) => [row.id, row]));
  for (const { id, operation } of all.filter(isHonest))
    for (const earlier of operation?.supersedes ?? [])
      if (byId.get(earlier)?.status === "applied")
        world.violation("S10", `${earlier} took effect, and ${id}, which replaces it, too`);
}

/** By the till or by the office: whoever came second has been told so, and nothing has come of his choice [C3]. */
function settledOnce(world: SimWorld, { operations = [], conflicts = [], epochs }: StoreWrites): void {
  // A restore forgets what the office has settled [C8.8].
  if (epochs?.length !== 1) return;
  const byId = new Map(operations.map((row) => [row.id, row]));
  const byOffice = new Set(
    conflicts.filter(({ settled }) => settled?.by === "boss").map(({ operationId }) => operationId),
  );
  for (const { id, operation } of operations.filter(isHonest))
    for (const earlier of operation?.supersedes ?? []) {
      const { supersededBy } = byId.get(earlier) ?? {};
      if (byOffice.has(earlier) || (supersededBy !== undefined && supersededBy !== id))
        world.violation("S10", `${earlier} was settled by ${id}, and by somebody else, too`);
    }
}

/** One that was corrected comes when it was corrected. */
const isFirst = ({ operation }: OperationRow) => (operation?.supersedes ?? []).length === 0;

/** One till's edits of a row take effect in the order in which they were made [C2]. Two stores under one name have no common order. */
function inOrder(world: SimWorld, subject: string, ops: readonly OperationRow[]): void {
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
 * No edit overwrites a field that another till wrote after its author had looked [C5]: as the model saw him look, whatever the edit claims. He has looked, too, where an earlier edit of his
 * was in conflict, and he has settled that: what he had pending behind it comes after.
 */
function unseen(world: SimWorld, subject: string, ops: readonly OperationRow[]): void {
  const births = ops
    .filter((row) => isApplied(row) && row.operation?.action === "create")
    .map(({ version }) => version);
  const updates = ops.filter(isApplied).flatMap((row) => {
    const { operation } = row;
    if (operation?.action !== "update" || operation.force) return [];
    const seen = world.model.operations.get(row.id)?.seen;
    return [{ ...row, fields: fieldsOf(operation), seen: (field: string) => seen?.get(field) ?? 0 }];
  });
  for (const one of updates)
    for (const other of updates)
      if (
        // Nobody has seen a liar look. Where it may edit, nothing that it says of its base is believed by this.
        !isOfLiar(one) &&
        other.incarnation !== one.incarnation &&
        other.version < one.version &&
        one.fields.some((field) => other.fields.includes(field) && other.version > one.seen(field)) &&
        // What was written in a life before went with that life.
        !births.some((born) => other.version < born && born < one.version) &&
        !updates.some(
          (mine) =>
            mine.incarnation === one.incarnation &&
            mine.version < one.version &&
            mine.fields.some((field) => one.fields.includes(field) && mine.seen(field) >= other.version),
        )
      )
        world.violation("S10", `${one.id} overwrote what ${other.id} had written to ${subject} behind its back`);
}

/** What an edit wrote is there, or somebody has written since. */
function lost(world: SimWorld, { records = [] }: StoreWrites, subject: string, ops: readonly OperationRow[]): void {
  const row = records.find(({ collection, id }) => `${collection}/${id}` === subject);
  if (row?.state !== "live") return;
  for (const { id, operation, version } of ops.filter(isApplied)) {
    if (operation?.action !== "update" || (version > 0 && row.createdVersion > version)) continue;
    for (const [field, value] of Object.entries(operation.patch))
      if (row.data[field] !== value && (row.fields[field]?.[0] ?? 0) <= version)
        world.violation("S1", `${id} took effect, and ${field} of ${subject} is not what it wrote`);
    for (const field of operation.unset ?? [])
      if (row.data[field] !== undefined && (row.fields[field]?.[0] ?? 0) <= version)
        world.violation("S1", `${id} took effect, and ${field} of ${subject} is still there`);
  }
}

/**
 * Nobody is in conflict with what he wrote himself [C5]. But an update of a deleted row is a conflict whoever deleted it
 * (docs/protocol.md, "Fields and conflicts"): such an update is made by a person who deletes a row, and then retries an earlier edit of it
 * that was refused.
 */
function withHimself(world: SimWorld, rows: StoreWrites, subject: string, ops: readonly OperationRow[]): void {
  for (const { operationId, collection, entityId } of rows.conflicts ?? []) {
    const own = ops.find(({ id }) => id === operationId);
    if (own === undefined || `${collection}/${entityId}` !== subject || own.operation?.action === "create") continue;
    if (isOfLiar(own)) continue;
    const base = own.operation && "baseVersion" in own.operation ? own.operation.baseVersion : 0;
    // A lie explains a conflict only where its teller may write.
    const others = ops.some((row) => row.incarnation !== own.incarnation && (!isOfLiar(row) || mayLiar(row)));
    const row = rows.records?.find((one) => one.collection === collection && one.id === entityId);
    const office = Object.values(row?.fields ?? {}).some(
      ([version, writer]) => version > base && writer !== own.incarnation && writer !== "policy",
    );
    if (!others && !office && !isOfOwnDeleted(world, own, ops))
      world.violation("S10", `${operationId} of ${subject} is in conflict, and nobody else wrote`);
  }
}

/** An update that its author made after he had deleted the row. The numbers of one store tell which came first. */
function isOfOwnDeleted(world: SimWorld, update: OperationRow, ops: readonly OperationRow[]): boolean {
  const sequenceOf = ({ id }: OperationRow) => world.model.operations.get(id)?.operation.sequence ?? 0;
  return (
    update.operation?.action === "update" &&
    ops.some(
      (other) =>
        other.operation?.action === "delete" &&
        isApplied(other) &&
        other.incarnation === update.incarnation &&
        sequenceOf(other) < sequenceOf(update),
    )
  );
}

/** What a lost history had let in comes in again without a conflict, and under whatever was written after it [C8.5]. */
function comeBack(world: SimWorld, { operations = [], records = [], conflicts = [] }: StoreWrites): void {
  const again = new Map(
    operations.filter((row) => row.operation?.acknowledged && !isOfLiar(row)).map((row) => [row.id, row]),
  );
  for (const { operationId } of conflicts)
    if (again.has(operationId))
      world.violation("S10", `${operationId} was judged once more after a restore, and is in conflict`);
  const live = new Map(
    records.filter(({ state }) => state === "live").map((row) => [`${row.collection}/${row.id}`, row]),
  );
  for (const { id, operation, ...row } of again.values()) {
    const fields = live.get(`${row.collection}/${row.entityId}`)?.fields;
    if (operation?.action !== "update" || row.status !== "applied" || fields === undefined) continue;
    for (const field of Object.keys(operation.patch))
      if ((fields[field]?.[0] ?? fields.id?.[0] ?? 0) < (operation.acknowledged?.version ?? 0))
        world.violation("S10", `${field} of ${row.collection}/${row.entityId} was written after ${id}, and is older`);
  }
}
