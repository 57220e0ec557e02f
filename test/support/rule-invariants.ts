/** What must hold of a `RuleShop` at rest: tills show what the server has, and every applied operation counts once. */
import { expect } from "vitest";
import { resolvedOf } from "../../src/schema/resolved.ts";
import type { CollectionMap } from "../../src/schema/types.ts";
import type { OperationRow, RecordRow } from "../../src/server/ports/rows.ts";
import type { RuleTill } from "./rule-till.ts";

type Members = Record<string, unknown>;

/** What the server of a shop stores, and the rows that the test has imported. */
export interface StoredShop {
  readonly collections: CollectionMap;
  readonly operations: readonly OperationRow[];
  readonly records: readonly RecordRow[];
  readonly seeded: readonly { readonly collection: string; readonly row: Members }[];
}

/** Checks tills that have come to rest against what the server stores. */
export function checkInvariants(shop: StoredShop, tills: readonly RuleTill<CollectionMap>[]): void {
  for (const till of tills) {
    const unsent = till.operations.filter(({ state }) => state === "pending" || state === "blocked");
    expect(unsent, `${till.device} has nothing left to send`).toEqual([]);
    for (const collection of Object.keys(shop.collections)) {
      expect(shownBy(till, collection), `${till.device} shows the server's ${collection}`).toEqual(
        inScope(shop, till, collection),
      );
    }
    for (const { id, state } of till.operations) {
      if (state === "applied") expect(statusOf(shop, id), `${till.device} has ${id} applied`).toBe("applied");
      if (state === "quarantined") expect(statusOf(shop, id)).toBe("quarantined");
    }
  }
  checkOnce(shop);
}

function shownBy(till: RuleTill<CollectionMap>, collection: string): Members {
  const rows = till.rows(collection).filter(({ data, states }) => data !== undefined && states === undefined);
  return Object.fromEntries(rows.map(({ id, version, data }) => [id, { version, ...data }]).sort(byKey));
}
/** The live rows that the till may see, except those on which it has unfinished work. */
function inScope(shop: StoredShop, till: RuleTill<CollectionMap>, collection: string): Members {
  const unfinished = new Set(
    till
      .rows(collection)
      .filter(({ states }) => states !== undefined)
      .map(({ id }) => id),
  );
  const { branch } = till.principal;
  const rows = shop.records.filter(
    (row) =>
      row.collection === collection &&
      row.state === "live" &&
      (branch === undefined || row.scope === "" || row.scope === branch) &&
      // A till shows its own side of what is still on a desk.
      !unfinished.has(row.id),
  );
  const zeros = Object.fromEntries(countersOf(shop, collection).map((name) => [name, 0]));
  return Object.fromEntries(
    rows.map(({ id, version, data, counters }) => [id, { version, ...data, ...zeros, ...counters }]).sort(byKey),
  );
}
function countersOf({ collections }: StoredShop, collection: string): readonly string[] {
  const definition = collections[collection];
  return definition === undefined ? [] : resolvedOf(definition).counters;
}

/** Every applied operation counts once: counters are the sum of what was applied, and each applied fact is one row. */
function checkOnce(shop: StoredShop): void {
  const applied = shop.operations.filter(({ status }) => status === "applied");
  const sums = new Map<string, number>();
  const add = (collection: string, id: string, counters: Members) => {
    for (const [name, step] of Object.entries(counters)) {
      const key = `${collection}/${id}.${name}`;
      sums.set(key, (sums.get(key) ?? 0) + Number(step));
    }
  };
  for (const { collection, row } of shop.seeded) {
    const { id } = row as { id: string };
    const counted = shop.records.find((record) => record.collection === collection && record.id === id);
    add(collection, id, Object.fromEntries(Object.keys(counted?.counters ?? {}).map((name) => [name, row[name] ?? 0])));
  }
  for (const { collection, entityId, operation } of applied) {
    if (operation?.action === "increment") add(collection, entityId, operation.by as Members);
  }
  const stored = shop.records.flatMap((row) =>
    Object.entries(row.counters).map(
      ([name, value]) => [`${row.collection}/${row.id}.${name}`, Number(value)] as const,
    ),
  );
  expect(Object.fromEntries(stored.sort(byKey)), "counters are the sum of what was applied").toEqual(
    Object.fromEntries([...sums].sort(byKey)),
  );
  for (const [collection, { kind }] of Object.entries(shop.collections)) {
    if (kind !== "fact") continue;
    const made = applied.filter((row) => row.collection === collection && row.operation?.action === "create");
    const seeded = shop.seeded.filter((seed) => seed.collection === collection).map(({ row }) => row.id as string);
    const rows = shop.records.filter((row) => row.collection === collection).map(({ id }) => id);
    expect(rows.sort(), `each applied fact of ${collection} is one row`).toEqual(
      [...new Set([...made.map(({ entityId }) => entityId), ...seeded])].sort(),
    );
  }
}

function statusOf({ operations }: StoredShop, id: string): string | undefined {
  return operations.find((row) => row.id === id)?.status;
}

function byKey([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}
