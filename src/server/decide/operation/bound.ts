/**
 * Which operations in quarantine belong together [C1]. The members of a transaction do, and whatever takes the place of
 * a member takes it in the transaction too: a corrected sale is released with the payment of the one that it corrects.
 */
import type { OperationRow } from "../../ports/rows.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { standsAlone } from "./out-of-range.ts";

/**
 * `supersedes` names the whole chain, so whatever is bound to an operation is a few links away. A till that names only
 * the last one could make a chain of any length, and each link costs another run of the decision (L12).
 */
const MAX_LINKS = 50;

/**
 * In quarantine, and not replaced. What was discarded is too: whoever takes it up again takes up all that is bound to
 * it.
 */
export function isSetAside({ status, supersededBy }: OperationRow): boolean {
  return status === "quarantined" && supersededBy === undefined;
}

/**
 * Everything in quarantine that is bound to the operations, they included, in the order in which the places were first
 * taken. An operation that another one of them replaces is not among them. They are followed together, because each
 * link of a chain leads to all the others (L12).
 */
export function boundTo(ws: WorkingSet, starts: readonly OperationRow[]): readonly OperationRow[] {
  const seen = new Map(starts.map((start) => [start.id, start]));
  let newest = starts;
  for (let links = 0; links < MAX_LINKS && newest.length > 0; links++) {
    const found = new Map<string, OperationRow>();
    for (const row of newest) {
      // A step that was left out of its sum is bound to nothing: what it was sent with is in the books.
      if (standsAlone(row)) continue;
      for (const next of neighbours(ws, row)) if (!seen.has(next.id) && !standsAlone(next)) found.set(next.id, next);
    }
    for (const [id, row] of found) seen.set(id, row);
    newest = [...found.values()];
  }
  const aside = [...seen.values()].filter(isSetAside);
  const replaced = new Set(aside.flatMap(namedBy));
  return aside.filter(({ id }) => !replaced.has(id)).sort((a, b) => placeOf(ws, a) - placeOf(ws, b));
}

function* neighbours(ws: WorkingSet, row: OperationRow): Iterable<OperationRow> {
  const { transaction, supersededBy } = row;
  // Transactions are named by tills: another device's transaction of the same name is another one.
  if (transaction !== undefined) yield* ws.members(transaction, row.device);
  const successor = supersededBy === undefined ? undefined : ws.operation(supersededBy);
  if (successor !== undefined) yield successor;
  for (const id of namedBy(row)) {
    const target = ws.operation(id);
    if (target === undefined) continue;
    // A successor that its sender might not send has not taken the place yet. If it is released, it does.
    if (target.supersededBy === row.id || (isSetAside(row) && isSetAside(target))) yield target;
  }
}

/** The operations that it names in `supersedes`. A malformed one may name anything there. */
function namedBy({ operation }: OperationRow): readonly string[] {
  const named: unknown = operation?.supersedes;
  return Array.isArray(named) ? named.filter((id) => typeof id === "string") : [];
}

/** A payment is judged after its sale, though the sale was corrected after the payment had arrived. */
function placeOf(ws: WorkingSet, row: OperationRow): number {
  const places = namedBy(row).map((id) => ws.operation(id)?.position ?? row.position);
  return Math.min(row.position, ...places);
}
