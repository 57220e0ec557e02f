/**
 * Which operations in quarantine belong together [C1]. The members of a transaction do, and whatever takes the place of
 * a member takes it in the transaction too: a corrected sale is released with the payment of the one that it corrects.
 */
import type { OperationRow } from "../../ports/rows.ts";
import { MOST_MEMBERS, type WorkingSet } from "../rows/working-set.ts";
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
 * How many ids in `supersedes` are followed from what is bound together, and as many from all that a push replaces. A
 * sale of 250 lines that was corrected eight times has as many; what names more is an attack, and each of its ids costs
 * a read (L12).
 */
export const MAX_FOLLOWED = 2_000;

/**
 * Everything in quarantine that is bound to the operations, they included, in the order in which the places were first
 * taken. An operation that another one of them replaces is not among them. They are followed together, because each
 * link of a chain leads to all the others (L12).
 */
export function boundTo(ws: WorkingSet, starts: readonly OperationRow[]): readonly OperationRow[] {
  const walk: Walk = { ws, left: MAX_FOLLOWED, transactions: new Set(), places: new Map() };
  const seen = new Map(starts.map((start) => [start.id, start]));
  let newest = starts;
  for (let links = 0; links < MAX_LINKS && newest.length > 0; links++) {
    const found = new Map<string, OperationRow>();
    for (const row of newest) {
      // A step that was left out of its sum is bound to nothing: what it was sent with is in the books.
      if (standsAlone(row)) continue;
      for (const next of neighbours(walk, row)) if (!seen.has(next.id) && !standsAlone(next)) found.set(next.id, next);
    }
    for (const [id, row] of found) seen.set(id, row);
    newest = [...found.values()];
  }
  ws.noteFollowed(MAX_FOLLOWED - walk.left);
  const aside = [...seen.values()].filter(isSetAside);
  const replaced = new Set(aside.flatMap(namedBy));
  // A payment is judged after its sale, though the sale was corrected after the payment had arrived.
  const placeOf = (row: OperationRow) => walk.places.get(row.id) ?? row.position;
  return aside.filter(({ id }) => !replaced.has(id)).sort((a, b) => placeOf(a) - placeOf(b));
}

/** Whether the operations name more than one decision follows: each id would be looked up once more when they apply. */
export function nameTooMany(rows: readonly OperationRow[]): boolean {
  return rows.reduce((sum, row) => sum + namedBy(row).length, 0) > MAX_FOLLOWED;
}

interface Walk {
  readonly ws: WorkingSet;
  /** How many ids may still be followed. */
  left: number;
  /** Those whose members were found: each of 500 members would find the same 500 again. */
  readonly transactions: Set<string>;
  /** The first place that an operation or one that it names has taken. */
  readonly places: Map<string, number>;
}

function* neighbours(walk: Walk, row: OperationRow): Iterable<OperationRow> {
  const { ws, transactions } = walk;
  const { transaction, device, supersededBy } = row;
  // Transactions are named by tills: another device's transaction of the same name is another one.
  const key = transaction === undefined ? undefined : `${device} ${transaction}`;
  if (transaction !== undefined && key !== undefined && !transactions.has(key)) {
    const members = ws.members(transaction, device);
    // What came under the name behind the first of them is bound to nothing (L12).
    if (members.length < MOST_MEMBERS || members.some(({ id }) => id === row.id)) {
      transactions.add(key);
      yield* members;
    }
  }
  const successor = supersededBy === undefined ? undefined : ws.operation(supersededBy);
  if (successor !== undefined) yield successor;
  let place = row.position;
  for (const id of namedBy(row)) {
    if (walk.left <= 0) break;
    walk.left -= 1;
    const target = ws.operation(id);
    if (target === undefined) continue;
    place = Math.min(place, target.position);
    // A successor that its sender might not send has not taken the place yet. If it is released, it does.
    if (target.supersededBy === row.id || (isSetAside(row) && isSetAside(target))) yield target;
  }
  walk.places.set(row.id, place);
}

/** The operations that it names in `supersedes`. A malformed one may name anything there. */
function namedBy({ operation }: OperationRow): readonly string[] {
  const named: unknown = operation?.supersedes;
  return Array.isArray(named) ? named.filter((id) => typeof id === "string") : [];
}
