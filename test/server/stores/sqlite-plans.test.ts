import { describe, expect, test } from "vitest";
import { ask, askAll } from "../../../src/server/ports/store.ts";
import { sqliteStore } from "../../../src/server/sqlite/index.ts";
import { read, SHOP, upTo, write } from "../../../src/server/testing/calls.ts";
import { serverStoreContract } from "../../../src/server/testing/index.ts";
import {
  clockRow,
  conflictRow,
  departureRow,
  discrepancyRow,
  operationRow,
  quarantinedRow,
  recordRow,
} from "../../../src/server/testing/rows.ts";
import { recording } from "./recording-driver.ts";

/** Rows of two tenants, uneven, so that a planner that looks at statistics has something to be misled by. */
async function fill(store: ReturnType<typeof sqliteStore>, rows: number): Promise<void> {
  for (const tenant of [SHOP, "another"]) {
    await write(
      store,
      {
        clock: clockRow(rows),
        records: upTo(rows).map((n) => recordRow(`row-${n}`, n, { scope: n % 10 === 0 ? "north" : "" })),
        departures: upTo(rows / 10).map((n) => departureRow(`row-${n}`, n, "north")),
        operations: upTo(rows).map((n) => (n % 50 === 0 ? quarantinedRow : operationRow)(`operation-${n}`, n)),
        conflicts: upTo(rows / 10).map((n) => conflictRow(`conflict-${n}`, n)),
        discrepancies: upTo(rows / 10).map((n) => discrepancyRow(`discrepancy-${n}`, n)),
      },
      tenant,
    );
  }
}

describe("query plans", async () => {
  const record = recording();
  for (const { run } of serverStoreContract({ persistent: false })) {
    await run(async () => {
      const store = sqliteStore({ path: ":memory:", driver: record.open });
      return { store, cleanup: () => store.close() };
    });
  }
  const store = sqliteStore({ path: ":memory:", driver: record.open });
  await fill(store, 2_000);
  const { database } = record;
  const plan = (sql: string) =>
    database!
      .prepare(`explain query plan ${sql}`)
      .all()
      .map((row) => (row as { detail: string }).detail);
  const queries = [...record.prepared].filter(
    (sql) => /\bt\b|from (records|operations|departures)/.test(sql) && !/^(insert|pragma)/.test(sql),
  );

  test("the contract has used them all", () => {
    expect(queries.length).toBeGreaterThan(18);
  });

  test.each(["without statistics", "with statistics"])("no table is walked over: %s", (mode) => {
    if (mode === "with statistics") database!.exec("analyze");
    for (const sql of queries) {
      const steps = plan(sql);
      // A list of keys, the list of a feed's parts, and what a subquery has already limited may be walked over.
      const harmless = /^SCAN (k|json_each) VIRTUAL TABLE|^SCAN parts|^SCAN \(subquery|^SCAN CONSTANT ROW/;
      expect(
        steps.filter((step) => /^SCAN/.test(step) && !harmless.test(step)),
        sql,
      ).toEqual([]);
      // Every step into a table begins with the tenant, or goes to a row by its number.
      const searches = steps.filter((step) => /^SEARCH/.test(step));
      expect(searches, sql).not.toEqual([]);
      for (const step of searches) expect(step, sql).toMatch(/\(tenant=\?|\(rowid=\?\)/);
      // Pages come out of an index in order: sorting would read all of a feed to answer its first page.
      if (/ limit \?$/.test(sql)) expect(steps.join("\n"), sql).not.toMatch(/TEMP B-TREE/);
    }
  });

  test("which rows a page has, and how many follow, is answered by an index alone", () => {
    const heads = queries.filter((sql) => / as entry from |^select count|^with recursive/.test(sql));
    expect(heads.length).toBeGreaterThanOrEqual(6);
    for (const sql of heads) {
      const first = plan(sql).find((step) => /^SEARCH/.test(step));
      expect(first, sql).toMatch(/USING COVERING INDEX/);
    }
  });
});

test("ten keys cost as many statements with ten thousand rows as with a hundred, and two thousand keys as many as ten", async () => {
  const counts: number[][] = [];
  for (const rows of [100, 10_000]) {
    const record = recording();
    const store = sqliteStore({ path: ":memory:", driver: record.open });
    await fill(store, rows);
    const cost = async (keys: number): Promise<number> => {
      record.executed = [];
      await store.transact(SHOP, function* () {
        const clock = yield* ask({ kind: "clock" });
        const names = upTo(keys);
        const [found] = yield* askAll([
          { kind: "operations", ids: names.map((n) => `operation-${n}`) },
          { kind: "records", keys: names.map((n) => ({ collection: "products", id: `row-${n}` })) },
          { kind: "sequences", incarnation: "incarnation-1", sequences: names },
          { kind: "conflictsOf", operationIds: names.map((n) => `operation-of-conflict-${n}`) },
          {
            kind: "changes",
            collection: "products",
            scopes: ["", "north"],
            after: 0,
            upTo: rows,
            limit: 10,
            bytes: 10_000,
          },
          { kind: "results", device: "device-1", after: 0, limit: 10 },
        ]);
        expect(found.length).toBe(Math.min(keys, rows));
        return { value: undefined, writes: { clock: clockRow(clock?.position ?? 0) } };
      });
      return record.executed.length;
    };
    counts.push([await cost(10), await cost(2_000)]);
    await read(store, { kind: "clock" });
    await store.close();
  }
  expect(new Set(counts.flat()).size).toBe(1);
  expect(counts[0]?.[0]).toBeLessThanOrEqual(20);
});

test("a page of changes reads no further than it must, whatever lies behind it", async () => {
  const record = recording();
  const store = sqliteStore({ path: ":memory:", driver: record.open });
  await write(store, { records: upTo(3_000).map((n) => recordRow(`row-${n}`, n, { scope: `branch-${n % 300}` })) });
  record.executed = [];
  const page = await read(store, {
    kind: "changes",
    collection: "products",
    scopes: "all",
    after: 0,
    upTo: 3_000,
    limit: 100,
    bytes: 1_000_000,
  });
  expect(page.entries.map(({ row }) => row.version)).toEqual(upTo(100));
  // For the page alone, and once each: what its rows weigh, and their documents.
  expect(record.executed.filter((sql) => sql.includes("json_each")).length).toBe(2);
  await store.close();
});
