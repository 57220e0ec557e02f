/**
 * S17: a counter that has no room takes nothing along. Facts are in the books and say so, sums are within their bounds, and no base that an
 * honest till names was never given out [H4, C1, C5].
 */
import type { OperationRow } from "../../../src/server/ports/rows.ts";
import { LIAR, STOCK_BOUNDS, VISITS_BOUNDS } from "../sim-shop.ts";
import type { SimWorld } from "../world.ts";
import type { Invariant } from "./invariant.ts";
import { factsTaken } from "./taken.ts";

const CODE = "counter_out_of_range";
const codeOf = ({ result }: OperationRow) => ("error" in result ? result.error.code : undefined);

/**
 * Steps that were left out of their sum, and are neither released nor replaced. One that was discarded keeps the issues of it.
 */
export function leftOut(world: SimWorld): readonly OperationRow[] {
  return (world.server.rows().operations ?? []).filter(({ device, operation, result, status, supersededBy }) => {
    // What a liar sends is judged by S18.
    if (device === LIAR) return false;
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
    for (const step of leftOut(world)) judgeStep(world, step);
    for (const row of operations) {
      if (row.device !== LIAR && codeOf(row) === "malformed")
        world.violation("S17", `${row.id} of an honest till is malformed`);
    }
  },
};

/** Where the server answers: people may put it right a moment later. */
export function judgeRoom(world: SimWorld, results: readonly { readonly id: string; readonly status: string }[]): void {
  const aside = new Set(results.flatMap(({ id, status }) => (status === "quarantined" ? [id] : [])));
  if (aside.size === 0) return;
  for (const step of leftOut(world)) if (aside.has(step.id)) judgeStep(world, step);
  judgeReasons(world, aside);
}

/** What is set aside because of another member: one of them has a reason of its own. */
function judgeReasons(world: SimWorld, aside: ReadonlySet<string>): void {
  const rows = world.server.rows().operations ?? [];
  const isFirst = ({ revision, operation }: OperationRow) => revision === 0 && operation?.supersedes === undefined;
  for (const row of rows.filter(({ id }) => aside.has(id))) {
    const { id, transaction, device } = row;
    // No policy of the shop fails at a sale: an effect that has no room is no mistake of it.
    if (device === LIAR) continue;
    if (codeOf(row) === "policy_failed") world.violation("S17", `the policy failed at ${id}`);
    if (transaction === undefined) continue;
    const members = rows.filter((other) => other.transaction === transaction && other.device === device);
    // What replaces another may be set aside because of what lies there; and what people have judged tells no more.
    if (members.every((other) => isFirst(other) && codeOf(other) === "transaction_quarantined"))
      world.violation("S17", `${id} is set aside with all of its transaction, and none of it has a reason`);
  }
}

/** What was sent with a step that waits for room is in the books, and says so. */
function judgeStep(world: SimWorld, step: OperationRow): void {
  if (step.transaction === undefined) return;
  for (const fact of world.server.rows().operations ?? []) {
    if (fact.transaction !== step.transaction || fact.device !== step.device) continue;
    if (!/^(sales|payments|refunds)$/.test(fact.collection)) continue;
    if (fact.status === "quarantined" && fact.supersededBy === undefined)
      world.violation("S17", `${fact.id} waits (${codeOf(fact)}), though only its step ${step.id} has no room`);
    const flags = fact.result.status === "applied" ? (fact.result.flags ?? []) : [];
    if (fact.status === "applied" && !flags.some(({ code }) => code === CODE))
      world.violation("S17", `${fact.id} does not say that its step ${step.id} was left out`);
  }
}

/** Where the office may not release a sale: that only a step of it has no room is no reason. */
export function judgeRefusal(world: SimWorld, id: string): void {
  const { operations = [], records = [] } = world.server.rows();
  const asked = operations.find((row) => row.id === id);
  // Several versions of the shop have reasons of their own, and so has what others have replaced.
  if (world.plan.options.versions || asked?.transaction === undefined || codeOf(asked) === CODE) return;
  const members = operations.filter(
    ({ transaction, device, status }) =>
      transaction === asked.transaction && device === asked.device && status === "quarantined",
  );
  if (!members.some(({ collection }) => collection === "sales")) return;
  // Nobody can book a fact under an id that a liar has used before.
  const taken = factsTaken(world);
  if (members.some(({ collection, entityId }) => taken.has(`${collection}/${entityId}`))) return;
  const isShort = ({ operation, entityId }: OperationRow) => {
    const step = operation?.action === "increment" ? Number(operation.by.stock ?? 0) : 0;
    const row = records.find((one) => one.collection === "products" && one.id === entityId);
    const sum = Number(row?.counters.stock ?? 0) + step;
    return (step > 0 && sum > STOCK_BOUNDS.max) || (step < 0 && sum < STOCK_BOUNDS.min);
  };
  if (members.every(({ operation }) => operation?.supersedes === undefined) && members.some(isShort))
    world.violation("S17", `the office can't release ${id}, because a step of it has no room`);
}
