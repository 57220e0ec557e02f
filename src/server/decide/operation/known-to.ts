import type { OperationRow } from "../../ports/rows.ts";
import type { Sender } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";

/**
 * What is stored under the id, as far as it holds for that sender. That an operation was replaced before it arrived is
 * the word of the device that says so, and holds for operations of its own: no till closes another till's entries, also
 * not before they arrive (L9).
 */
export function knownTo(ws: WorkingSet, { device }: Pick<Sender, "device">, id: string): OperationRow | undefined {
  const row = ws.operation(id);
  const isNeverSeen = row?.hash === "";
  return isNeverSeen && row.device !== device ? undefined : row;
}
