/** S5: nothing takes effect before what it waits for has; judged when the server says so, since later it may have. */
import type { PushRequest, WireOperation } from "../../../src/protocol/types.ts";
import type { OperationRow } from "../../../src/server/ports/rows.ts";
import type { SimWorld } from "../world.ts";

interface Result {
  readonly id: string;
  readonly status: string;
  readonly replayed?: boolean | undefined;
}

const FACTS = ["sales", "payments", "refunds"];
const LONGEST_CHAIN = 20;

export function judgeWaiting(world: SimWorld, { operations }: PushRequest, results: readonly Result[]): void {
  const applied = new Set(
    results.filter(({ status, replayed }) => status === "applied" && !replayed).map(({ id }) => id),
  );
  const waited = operations.filter(({ id, after, acknowledged }) => applied.has(id) && after?.length && !acknowledged);
  if (waited.length === 0) return;
  const rows = new Map((world.server.rows().operations ?? []).map((row) => [row.id, row]));
  for (const operation of waited)
    for (const id of operation.after ?? [])
      if (!isOver(rows, id, isMoney(operation)))
        world.violation("S5", `${operation.id} took effect, and ${id}, which it waits for, has not`);
}

/** Money waits for an answer of any kind [C2]. */
const isMoney = ({ collection, action }: WireOperation) => FACTS.includes(collection) || action === "increment";

/** It has taken effect, or whatever stands in its place has. */
function isOver(rows: ReadonlyMap<string, OperationRow>, id: string, anyAnswer: boolean): boolean {
  let row = rows.get(id);
  if (row === undefined) return false;
  for (let links = 0; links < LONGEST_CHAIN; links++) {
    if (row.status === "applied") return true;
    if (row.supersededBy === undefined) return anyAnswer;
    const next = rows.get(row.supersededBy);
    // The office has settled it, which leaves no operation.
    if (next === undefined) return true;
    row = next;
  }
  return anyAnswer;
}
