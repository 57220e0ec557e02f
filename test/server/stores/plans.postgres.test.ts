import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ask, askAll, type StoreRead } from "../../../src/server/ports/store.ts";
import { Connection, type Statement } from "../../../src/server/postgres/connection.ts";
import { postgresStore } from "../../../src/server/postgres/index.ts";
import { planRead } from "../../../src/server/postgres/reads.ts";
import { transactionSettings } from "../../../src/server/postgres/transaction-settings.ts";
import { planWrites } from "../../../src/server/postgres/writes.ts";
import { SHOP, upTo, write } from "../../../src/server/testing/calls.ts";
import {
  clockRow,
  commitRow,
  conflictRow,
  departureRow,
  deviceRow,
  discrepancyRow,
  incarnationRow,
  operationRow,
  quarantinedRow,
  recordRow,
} from "../../../src/server/testing/rows.ts";
import { newDatabase, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await newDatabase();
  const store = postgresStore({ url: database.url });
  await store.secret();
  await store.close();
});
afterAll(() => database.drop());
afterEach(() => {
  vi.restoreAllMocks();
});

/** A little of everything: with less than a page of rows it makes no difference how they are looked for. */
const some = upTo(400);
const rows = {
  clock: clockRow(400),
  records: some.map((n) => recordRow(`row-${n}`, n, { scope: n % 2 === 0 ? "north" : "" })),
  departures: some.map((n) => departureRow(`gone-${n}`, n, "north")),
  operations: some.map((n) =>
    n % 9 === 0
      ? quarantinedRow(`operation-${n}`, n)
      : operationRow(`operation-${n}`, n, { transaction: `t-${n % 90}` }),
  ),
  commits: some.map((n) => commitRow(`commit-${n}`, n)),
  devices: some.map((n) => deviceRow(`device-${n}`)),
  incarnations: some.map((n) => incarnationRow(`incarnation-${n}`, { device: `device-${n}` })),
  conflicts: some.map((n) => conflictRow(`conflict-${n}`, n)),
  discrepancies: some.map((n) => discrepancyRow(`discrepancy-${n}`, n)),
};

/** What the planner may know of the tables, in the order in which it comes about. */
const beliefs: Readonly<Record<string, () => Promise<unknown>>> = {
  "tables that nobody has analysed": async () => {
    const store = postgresStore({ url: database.url });
    for (const tenant of [SHOP, "another shop"]) await write(store, rows, tenant);
    await store.close();
  },
  "tables that were analysed": () => database.query("vacuum analyze"),
};

const feed = { collection: "products", after: 0, upTo: 200, limit: 10 } as const;
const requests: readonly StoreRead[] = [
  { kind: "clock" },
  { kind: "epochs" },
  { kind: "records", keys: [{ collection: "products", id: "row-1" }] },
  { kind: "operations", ids: ["a", "b"] },
  { kind: "sequences", incarnation: "i", sequences: [1, 2] },
  { kind: "members", transaction: "t", device: "d", limit: 10 },
  { kind: "commits", ids: ["a"] },
  { kind: "devices", ids: ["a"] },
  { kind: "incarnations", device: "d", limit: 10 },
  { kind: "changes", ...feed, scopes: ["", "north"], bytes: 10_000 },
  { kind: "changes", ...feed, scopes: "all", bytes: 10_000 },
  { kind: "countChanges", ...feed, scopes: ["", "north"] },
  { kind: "countChanges", ...feed, scopes: "all" },
  { kind: "results", device: "device-1", incarnation: "incarnation-1", after: 0, limit: 10 },
  { kind: "results", device: "device-1", after: 0, limit: 10 },
  { kind: "quarantined", after: 0, limit: 10 },
  { kind: "conflicts", ids: ["a"] },
  { kind: "conflictsOf", operationIds: ["a"] },
  { kind: "conflictList", state: "open", after: 0, limit: 10 },
  { kind: "discrepancies", after: 0, limit: 10 },
];

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Cond"?: string;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

describe.each(Object.keys(beliefs))("the plan of every statement, with %s", (belief) => {
  let client: pg.Client;
  beforeAll(async () => {
    await beliefs[belief]!();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const session = { schema: "tillsync", role: "tillsync_tenants", busyTimeoutMs: 1_000, statementTimeoutMs: 10_000 };
    const { text, values } = transactionSettings(session)(SHOP);
    await client.query(text.replaceAll(", true)", ", false)"), [...values]); // for all that follows on this connection
  });
  afterAll(() => client.end());

  async function nodesOf({ text, values }: Statement): Promise<readonly PlanNode[]> {
    const given = values.map((value) => (value === null ? "null" : client.escapeLiteral(value)));
    await client.query(`prepare planned as ${text}`);
    const { rows } = await client.query(`explain (format json) execute planned(${given.join(", ")})`);
    await client.query("deallocate planned");
    const flat = (node: PlanNode): readonly PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)];
    return flat(rows[0]["QUERY PLAN"][0].Plan);
  }

  const statements = requests.flatMap((request) =>
    planRead(SHOP, request).statements.map((statement, index) => [`${request.kind} ${index + 1}`, statement] as const),
  );
  // One row by its key. Before the table is analysed it may be looked for among the departures of its scope.
  const [taken] = planWrites(SHOP, { returns: [{ collection: "products", id: "row-1", scope: "north" }] });
  test.each(belief.includes("nobody") ? statements : [...statements, ["returns", taken!] as const])(
    "%s: look-ups that begin with the tenant",
    async (_name, statement) => {
      const nodes = await nodesOf(statement);
      const looking = nodes.filter(
        (node) => "Index Cond" in node || ("Relation Name" in node && node["Node Type"] !== "ModifyTable"),
      );
      expect(looking.length).toBeGreaterThan(0);
      for (const node of looking.filter((node) => node["Node Type"] !== "Bitmap Heap Scan")) {
        expect(node["Node Type"], statement.text).toMatch(/Index (Only )?Scan/);
        expect(node["Index Cond"], statement.text).toMatch(/\(tenant = /);
        // What an index does not answer is looked for in rows: of one key. (A clock is one row, and whether a row has left
        // the reader is asked of each departure.)
        const isHarmless = node.Filter === undefined || /SubPlan|epoch IS NOT NULL/.test(node.Filter);
        if (!isHarmless) expect(node["Index Cond"], statement.text).toMatch(/ AND \(id = /);
      }
      // Pages come out of an index in order. What is sorted is a page, or as many heads as a page has.
      const limited = nodes.some((node) => node["Node Type"] === "Limit");
      if (!limited) return;
      const sorted = nodes.filter((node) => node["Node Type"] === "Sort").flatMap((node) => node.Plans ?? []);
      for (const node of sorted) expect(node["Node Type"], statement.text).not.toMatch(/Index|Seq/);
    },
  );
});

test("every statement compares each tenant with its parameter, so that tables can be distributed by tenant", () => {
  const changed = planWrites(SHOP, { ...rows, returns: [{ collection: "products", id: "row-1", scope: "north" }] });
  for (const { text } of [...requests.flatMap((request) => planRead(SHOP, request).statements), ...changed]) {
    const compared = [...text.matchAll(/\btenant = (\S+)/g)].map(([, other]) => other);
    const isInsert = text.startsWith("insert into");
    expect(compared.length + Number(isInsert), text).toBeGreaterThan(0);
    expect(new Set(compared), text).toEqual(new Set(isInsert ? [] : ["$1"]));
  }
});

test("a push is three round trips, whatever its size; a pull is one for each of its steps", async () => {
  const store = postgresStore({ url: database.url });
  for (let uses = 0; uses < 8; uses++) await write(store, {}); // the connection is there, and its plans are made
  const run = vi.spyOn(Connection.prototype, "run");
  const push = async (size: number) => {
    run.mockClear();
    await store.transact(SHOP, function* () {
      const clock = yield* ask({ kind: "clock" });
      const names = upTo(size).map((n) => `${size}-${n}`);
      yield* askAll([
        { kind: "operations", ids: names },
        { kind: "records", keys: names.map((id) => ({ collection: "products", id })) },
        { kind: "sequences", incarnation: "incarnation-2", sequences: upTo(size).map((n) => size * 1_000_000 + n) },
        { kind: "devices", ids: ["device-1"] },
      ]);
      const at = clock?.position ?? 0;
      const operations = names.map((id, n) =>
        operationRow(id, at + n + 1, { incarnation: "incarnation-2", sequence: size * 1_000_000 + n }),
      );
      const records = names.map((id, n) => recordRow(id, at + n + 1));
      return { value: undefined, writes: { clock: clockRow(at + size), operations, records } };
    });
    return run.mock.calls.length;
  };
  expect([await push(1), await push(100), await push(2_000)]).toEqual([3, 3, 3]);

  run.mockClear();
  await store.read(SHOP, function* () {
    const clock = yield* ask({ kind: "clock" });
    yield* askAll([
      { kind: "changes", ...feed, scopes: ["", "north"], upTo: clock?.position ?? 0, bytes: 10_000 },
      { kind: "results", device: "device-1", after: 0, limit: 10 },
    ]);
  });
  expect(run.mock.calls.length).toBe(3); // two steps, and the end that nobody waits for
  await store.close();
});
