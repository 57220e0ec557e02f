/** Judges a stored operation again, and revises its result [H3]. */
import { parseOperation } from "../../../protocol/operation.ts";
import type { FinalResult } from "../../../protocol/types.ts";
import type { OperationRow } from "../../ports/rows.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import type { PreparedOperation } from "./prepared-operation.ts";

/** A stored operation, to be judged again. It may have been malformed, and then still is. */
export function prepareStored(row: OperationRow): PreparedOperation {
  const raw = { ...row.operation, id: row.id };
  return { id: row.id, raw, parsed: parseOperation(raw), hash: row.hash, bytes: 0, acknowledgedIsAuthentic: false };
}

export interface Revision {
  /** The operation or commit that revises the result: it takes the position. */
  readonly takenBy: string;
  readonly at: number;
}

/** Stores the result in place of the operation's earlier one. Its device gets it with the next answer. */
export function revise(ws: WorkingSet, row: OperationRow, result: FinalResult, { takenBy, at }: Revision): FinalResult {
  const revision = row.revision + 1;
  const revised = { ...result, revision, at };
  ws.putOperation({
    ...row,
    status: result.status,
    version: result.status === "applied" ? result.version : 0,
    revision,
    feedPosition: ws.take(takenBy),
    result: revised,
  });
  return revised;
}
