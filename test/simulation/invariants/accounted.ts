/** S1, S3, S12: every operation that a till has stored is on the server, or set aside where people can see it (L1); and nothing else is there. */
import type { FlatOperation } from "../../support/flat-operation.ts";
import type { Invariant } from "./invariant.ts";
import { isOfLiar } from "./lies.ts";
import { takenIdOf } from "./taken.ts";

export const accounted: Invariant = {
  name: "S1",
  check(world) {
    const onServer = new Map((world.server.rows().operations ?? []).map((row) => [row.id, row]));
    const arrived = world.server.arrived();
    const onDisks = new Map<string, FlatOperation>();
    for (const machine of world.machines)
      for (const operation of machine.operations()) onDisks.set(operation.id, operation);
    const replaced = new Set(
      [...world.model.operations.values()].flatMap(({ operation }) => operation.supersedes ?? []),
    );
    for (const [id, { operation, told, lost, pruned }] of world.model.operations) {
      const what = `${operation.action} ${operation.collection}/${operation.entityId} (${id})`;
      const stored = onDisks.get(id);
      if (arrived.has(id)) continue;
      // Forgotten after two weeks, and then gone with the server's database: a backup must not be older than that [C8.7].
      if (pruned && world.server.wasRestored) continue;
      // Replaced before the server ever saw it, and forgotten two weeks later: its successor is judged instead.
      if (stored === undefined && pruned && replaced.has(id)) continue;
      if (stored === undefined) {
        if (lost === undefined && told) world.violation("S1", `${what} is neither on its disk nor on the server`);
        if (lost?.safe) world.violation("S1", `${what} was on the server, and is not any more`);
      } else if (!isEnded(stored, onDisks) && !world.model.operations.get(stored.supersededBy ?? "")?.pruned) {
        world.violation("S1", `${what} is ${stored.state} on the till, and the server does not know it`);
      }
    }
    // What a liar has made is judged with the lies.
    for (const [id, row] of onServer)
      if (!world.model.operations.has(takenIdOf(row, onServer) ?? id) && !isPlaceholder(row) && !isOfLiar(row))
        world.violation("S3", `the server has operation ${id}, which no till has made`);
  },
};

/** Given up or replaced before the server ever saw it. */
function isEnded(
  { state, supersededBy, error, action }: FlatOperation,
  all: ReadonlyMap<string, FlatOperation>,
): boolean {
  if (state === "superseded") return supersededBy === undefined || all.has(supersededBy);
  if (state === "closed_elsewhere") return true;
  return action === "void" || error?.code === "discarded";
}

/** An id that was superseded before it was ever seen. */
function isPlaceholder({ hash }: { readonly hash: string }): boolean {
  return hash === "";
}
