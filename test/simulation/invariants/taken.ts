/**
 * S18, where a liar was the first to use an id: the other till's is kept, once, and it is told (docs/security.md). All other invariants ask
 * here what they may find then.
 */
import type { OperationRow } from "../../../src/server/ports/rows.ts";
import { LIAR } from "../sim-shop.ts";
import type { SimWorld } from "../world.ts";
import type { Invariant } from "./invariant.ts";

const isOfLiar = ({ device }: OperationRow) => device === LIAR;
const subjectOf = ({ collection, entityId }: { readonly collection: string; readonly entityId: string }) =>
  `${collection}/${entityId}`;

/** Facts that stand in the books as a liar has said them, under the id of one that another till has made. */
export function factsTaken({ liar, model, server }: SimWorld): ReadonlySet<string> {
  if (liar === undefined) return new Set();
  const { operations = [] } = server.rows();
  const made = new Set([...model.operations.values()].map(({ operation }) => subjectOf(operation)));
  const booked = operations.filter(
    (row) => isOfLiar(row) && row.status === "applied" && row.operation?.action === "create",
  );
  return new Set(booked.map(subjectOf).filter((subject) => made.has(subject)));
}

/** The operation's own id, where its payload is kept under another one because a liar has that. */
export function takenIdOf(row: OperationRow, rows: ReadonlyMap<string, OperationRow>): string | undefined {
  const id = row.operation?.id;
  const first = id === undefined || id === row.id ? undefined : rows.get(id);
  return first && isOfLiar(first) && !isOfLiar(row) ? id : undefined;
}

/** Facts that their till goes on seeing as it has made them: its operation has lost its id, or the fact itself has. */
export function factsHidden(world: SimWorld): ReadonlySet<string> {
  if (world.liar === undefined) return new Set();
  const rows = new Map((world.server.rows().operations ?? []).map((row) => [row.id, row]));
  const kept = [...rows.values()].filter((row) => takenIdOf(row, rows) !== undefined);
  return new Set([...factsTaken(world), ...kept.map(subjectOf)]);
}

export const taken: Invariant = {
  name: "S18",
  check(world) {
    if (world.liar === undefined) return;
    const rows = new Map((world.server.rows().operations ?? []).map((row) => [row.id, row]));
    const kept = new Set<string>();
    for (const row of rows.values()) {
      const id = takenIdOf(row, rows);
      if (id === undefined) continue;
      if (kept.has(id)) world.violation("S18", `${id} was taken by ${LIAR}, and is kept twice`);
      kept.add(id);
    }
    for (const machine of world.machines)
      for (const { id, state } of machine.operations()) {
        const first = rows.get(id);
        if (first && isOfLiar(first) && first.hash !== "" && state === "applied")
          world.violation("S18", `${machine.name} believes that ${id} is applied, and ${LIAR} has taken its id`);
      }
  },
};
