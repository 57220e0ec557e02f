/** S12: how many operations of an earlier store the server says that it lacks, against what it has. */
import type { RegisterResponse } from "../../../src/protocol/types.ts";
import type { SimWorld } from "../world.ts";
import { isOfLiar } from "./lies.ts";

/** Judged when the server answers: what is late may arrive a moment later. */
export function judgeUnsynced(world: SimWorld, { unsynced }: Pick<RegisterResponse, "unsynced">): void {
  const rows = world.server.rows();
  // A liar may claim the store of another till.
  const operations = (rows.operations ?? []).filter((row) => !isOfLiar(row));
  const incarnations = (rows.incarnations ?? []).filter((row) => !isOfLiar(row));
  for (const { incarnation, lastSequence, missing } of unsynced) {
    // A fork has said where it goes on counting: what it sends from before is not counted.
    const since = incarnations.find((row) => row.incarnation === incarnation)?.firstSequence ?? 1;
    const sent = operations.flatMap((row) => (row.incarnation === incarnation ? (row.sequence ?? []) : []));
    // A copy says how far it had counted, and the store that it is a copy of may have gone on.
    const got = new Set(sent.filter((sequence) => sequence >= since && sequence <= lastSequence));
    const first = Math.min(...got);
    const between = lastSequence - first + 1 - got.size;
    // A fork goes on counting where the store before it had ended, so what lies before its first number may be another's.
    if (got.size === 0) continue;
    if (missing < between || missing > lastSequence - got.size)
      world.violation("S12", `the server lacks ${between} operations of ${incarnation}, and says ${missing}`);
  }
}
