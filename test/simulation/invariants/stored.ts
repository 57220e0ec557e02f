/** S7: what a till keeps beside its operations agrees with them: the counts of the queue, and those of each row. */
import { QUEUE, type QueueState } from "../../../src/client/state/meta.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import type { StoredRow } from "../../../src/client/state/rows.ts";
import { META, OPERATIONS } from "../../../src/client/state/tables.ts";
import { type FlatOperation, flat } from "../../support/flat-operation.ts";
import { grouped } from "../engine/grouped.ts";
import type { Machine } from "../machines/machine.ts";
import { collections } from "../sim-shop.ts";
import type { Invariant } from "./invariant.ts";

const UNFINISHED = ["pending", "blocked", "conflict", "rejected", "quarantined"];
type Counts = Record<string, number>;

/** Of what is on disk now. */
export function disagreements(machine: Machine): readonly string[] {
  const { tables } = machine.snapshot();
  const operations = (tables[OPERATIONS] ?? []).map(([, value]) => flat(value as StoredOperation));
  const queue = tables[META]?.find(([key]) => key === QUEUE)?.[1] as QueueState | undefined;
  const found: string[] = [];
  const waiting: Counts = {};
  const inState: Counts = {};
  const onRow = new Map<string, Counts>();
  for (const { collection, entityId, state, action, error } of operations) {
    if (state === "pending" || state === "blocked") waiting[collection] = (waiting[collection] ?? 0) + 1;
    if (error?.code !== "discarded" || state !== "quarantined") inState[state] = (inState[state] ?? 0) + 1;
    if (!UNFINISHED.includes(state) || action === "void") continue;
    const counts = onRow.get(`${collection}/${entityId}`) ?? {};
    counts[state] = (counts[state] ?? 0) + 1;
    onRow.set(`${collection}/${entityId}`, counts);
  }
  const expect = (what: string, got: unknown, wanted: unknown) => {
    if (text(got) !== text(wanted))
      found.push(`${machine.name} ${what} is ${text(got)}, and its operations say ${text(wanted)}`);
  };
  if (queue) {
    expect("waiting", queue.waiting, waiting);
    for (const state of ["conflict", "rejected", "quarantined"] as const)
      expect(state, queue[state === "conflict" ? "conflicts" : state], inState[state] ?? 0);
    const highest = Math.max(0, ...operations.map(({ sequence }) => sequence));
    if (queue.sequence < highest) found.push(`${machine.name} counts ${queue.sequence}, and has given out ${highest}`);
  }
  for (const collection of Object.keys(collections)) {
    const rows = new Map((tables[`c:${collection}`] ?? []).map(([key, value]) => [key, value as StoredRow]));
    for (const [id, row] of rows)
      expect(`${collection}/${id}`, row.states ?? {}, onRow.get(`${collection}/${id}`) ?? {});
    for (const subject of onRow.keys()) {
      const [name, id = ""] = subject.split("/");
      if (name === collection && !rows.has(id))
        found.push(`${machine.name} has an operation on ${subject}, and no row`);
    }
  }
  for (const { kind, action, state, collection, entityId, schemaVersion } of operations) {
    // What a newer app has made can't be shown by an older one: it would be in another unit.
    if (schemaVersion > machine.app) continue;
    if (kind !== "fact" || action !== "create" || !UNFINISHED.includes(state)) continue;
    const row = tables[`c:${collection}`]?.find(([key]) => key === entityId)?.[1] as StoredRow | undefined;
    if (row?.data === undefined && (row?.schemaVersion ?? 1) <= machine.app)
      found.push(`${machine.name} does not show its own ${collection}/${entityId} (${state})`);
  }
  found.push(...wrongSums(machine.name, tables, operations));
  const sequences = new Set(operations.map(({ sequence }) => sequence));
  if (sequences.size !== operations.length) found.push(`${machine.name} gave out a sequence number twice`);
  return found;
}

/** S6: a till counts its own steps at once, and once. */
function wrongSums(
  name: string,
  tables: ReturnType<Machine["snapshot"]>["tables"],
  operations: readonly FlatOperation[],
): readonly string[] {
  const sums = new Map<string, number>();
  const steps = operations.filter((o) => o.action === "increment" && /^(pending|blocked|conflict)$/.test(o.state));
  for (const [subject, own] of grouped(steps, (o) => `${o.collection}/${o.entityId}`)) {
    const [collection, id = ""] = subject.split("/");
    const row = tables[`c:${collection}`]?.find(([key]) => key === id)?.[1] as StoredRow | undefined;
    for (const { by = {}, missingSince = 0 } of own)
      for (const [counter, step] of Object.entries(by))
        if ((row?.generation ?? 0) >= missingSince)
          sums.set(`${subject}/${counter}`, (sums.get(`${subject}/${counter}`) ?? 0) + Number(step));
  }
  return ["products/stock", "products/returned", "customers/points", "customers/visits"].flatMap((named) => {
    const [collection, counter = ""] = named.split("/");
    return (tables[`c:${collection}`] ?? []).flatMap(([id, value]) => {
      const { data, base } = value as StoredRow;
      if (data === undefined) return [];
      const under = Number((base === undefined ? data : base)?.[counter] ?? 0);
      const wanted = under + (sums.get(`${collection}/${id}/${counter}`) ?? 0);
      const got = data[counter] ?? 0;
      return got === wanted ? [] : [`${name} shows ${counter} ${got} of ${collection}/${id}, and ${wanted} is right`];
    });
  });
}

function text(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return JSON.stringify(
    Object.entries(value)
      .filter(([, count]) => count !== 0)
      .sort(),
  );
}

export const stored: Invariant = {
  name: "S7",
  check(world) {
    for (const machine of world.machines) for (const fault of disagreements(machine)) world.violation("S7", fault);
  },
};
