/** S5: what depends on another comes behind it. */
import { CONTESTED } from "../commands/editing.ts";
import type { Invariant } from "./invariant.ts";
import { factsOfLiar } from "./lies.ts";
import { factsTaken } from "./taken.ts";

export const order: Invariant = {
  name: "S5",
  check(world) {
    const ofLiar = factsOfLiar(world);
    // A liar has said the same before its till did.
    const taken = factsTaken(world);
    const rows = (world.server.rows().records ?? []).filter(
      ({ collection, id, state }) => state === "live" && !ofLiar.has(`${collection}/${id}`),
    );
    // One that was set aside came later than what is about it, or not at all: people have judged it, or will.
    const judged = new Set(
      (world.server.rows().operations ?? [])
        .filter(({ revision, status }) => revision > 0 || status === "quarantined")
        .map(({ entityId }) => entityId),
    );
    // Gone with the one disk that had it, and then with the server's database: nobody can bring it [C8.8].
    for (const { operation, lost, pruned } of world.model.operations.values())
      if (lost || pruned) judged.add(operation.entityId);
    const sales = new Map(rows.filter(({ collection }) => collection === "sales").map((row) => [row.id, row.version]));
    // Those that some till deletes may be made again, behind the sales that are of them.
    const customers = new Map(
      rows
        .filter(({ collection, id }) => collection === "customers" && !CONTESTED.some((contested) => contested === id))
        .map((row) => [row.id, row.createdVersion]),
    );
    for (const { collection, id, data, version } of rows) {
      const born = collection === "sales" ? customers.get(data.customerId as string) : undefined;
      const isEarly = taken.has(`${collection}/${id}`);
      const isJudged = isEarly || judged.has(id) || judged.has(data.customerId as string);
      if (born !== undefined && born > version && !isJudged)
        world.violation("S5", `sales/${id} came before its customer`);
      if (collection !== "refunds" && collection !== "payments") continue;
      const sale = sales.get(data.saleId as string);
      if (judged.has(data.saleId as string)) continue;
      if (sale === undefined) world.violation("S5", `${collection}/${id} is of a sale that is not there`);
      else if (sale > version && !isEarly) world.violation("S5", `${collection}/${id} came before its sale`);
    }
  },
};
