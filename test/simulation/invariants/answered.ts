/** S2: an answer says how the operation has left its row, the effects of its policy included. */
import type { SimWorld } from "../world.ts";

interface Result {
  readonly id: string;
  readonly status: string;
  readonly version?: number | undefined;
  readonly replayed?: boolean | undefined;
}

/** Judged when the server answers: somebody else may write the row a moment later. */
export function judgeEffects(world: SimWorld, results: readonly Result[]): void {
  const fresh = results.filter(({ status, replayed, version = 0 }) => status === "applied" && !replayed && version > 0);
  if (fresh.length === 0) return;
  const { operations = [], records = [] } = world.server.rows();
  for (const { id, version } of fresh) {
    const sent = operations.find((row) => row.id === id);
    if (sent?.collection !== "products" || sent.operation?.action !== "update") continue;
    const fields = records.find((row) => row.collection === "products" && row.id === sent.entityId)?.fields;
    // The label is written right behind the price, by the same operation.
    const [written = 0] = fields?.priceCents ?? [];
    const [labelled = 0] = fields?.label ?? [];
    if (written === version && labelled > written)
      world.violation("S2", `${id} was answered with version ${version}, and its effect has version ${labelled}`);
  }
}
