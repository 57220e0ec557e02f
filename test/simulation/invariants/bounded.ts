/**
 * S17: a counter that has no room takes nothing along. Facts are in the books and say so, sums are within their bounds, and no base that an
 * honest till names was never given out [H4, C1, C5].
 */
import type { OperationRow } from "../../../src/server/ports/rows.ts";
import { STOCK_BOUNDS, VISITS_BOUNDS } from "../sim-shop.ts";
import type { SimWorld } from "../world.ts";
import type { Invariant } from "./invariant.ts";

const CODE = "counter_out_of_range";
const codeOf = ({ result }: OperationRow) => ("error" in result ? result.error.code : undefined);

/**
 * Steps that were left out of their sum, and are neither released nor replaced. One that was discarded keeps the issues of it.
 */
export function leftOut(world: SimWorld): readonly OperationRow[] {
  return (world.server.rows().operations ?? []).filter(({ operation, result, status, supersededBy }) => {
    if (operation?.action !== "increment" || status !== "quarantined" || supersededBy !== undefined) return false;
    if (!("error" in result)) return false;
    const { code, issues } = result.error;
    return code === CODE || (code === "discarded" && issues !== undefined);
  });
}

export const bounded: Invariant = {
  name: "S17",
  check(world) {
    const { records = [], operations = [] } = world.server.rows();
    for (const { collection, id, counters } of records) {
      const { min, max } = { min: 0, ...(collection === "products" ? STOCK_BOUNDS : VISITS_BOUNDS) };
      const value = Number((collection === "products" ? counters.stock : counters.visits) ?? 0);
      if (value < min || value > max) world.violation("S17", `a counter of ${collection}/${id} is ${value}`);
    }
    const facts = operations.filter(({ collection }) => /^(sales|payments|refunds)$/.test(collection));
    for (const step of leftOut(world)) {
      if (step.transaction === undefined) continue;
      for (const fact of facts) {
        if (fact.transaction !== step.transaction || fact.device !== step.device) continue;
        if (fact.status === "quarantined" && fact.supersededBy === undefined)
          world.violation("S17", `${fact.id} waits (${codeOf(fact)}), though only its step ${step.id} has no room`);
        const flags = fact.result.status === "applied" ? (fact.result.flags ?? []) : [];
        if (fact.status === "applied" && !flags.some(({ code }) => code === CODE))
          world.violation("S17", `${fact.id} does not say that its step ${step.id} was left out`);
      }
    }
    for (const row of operations) {
      if (codeOf(row) === "malformed") world.violation("S17", `${row.id} of an honest till is malformed`);
      if (codeOf(row) === "policy_failed") world.violation("S17", `the policy failed at ${row.id}`);
    }
  },
};
