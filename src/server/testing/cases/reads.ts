/** Every kind of read: of an empty tenant, of one of two tenants, and after a rewrite. */
import type { ServerStore, StoreRead, StoreWrites } from "../../ports/store.ts";
import { equal } from "../assertions.ts";
import { read, SHOP, write } from "../calls.ts";
import { type ContractCase, contractCase } from "../contract-case.ts";
import {
  changeOf,
  clockRow,
  commitRow,
  conflictRow,
  departureRow,
  deviceRow,
  discrepancyRow,
  epochRow,
  incarnationRow,
  operationRow,
  quarantinedRow,
  recordRow,
  resultRow,
} from "../rows.ts";

const END = Number.MAX_SAFE_INTEGER;

/** One row of each kind; `mark` makes the rows of two tenants with the same key differ. */
function everything(mark: string, n: number) {
  return {
    clock: clockRow(n, { lastId: mark }),
    epochs: [epochRow(1, { at: n })],
    records: [recordRow("tea", 1, { data: { name: mark } })],
    departures: [departureRow("gone", 10 + n, "north")],
    operations: [
      operationRow("sale", 2, { hash: mark, transaction: "basket" }),
      quarantinedRow("odd", 3, { hash: mark }),
    ],
    commits: [commitRow("release", 4, { actor: mark })],
    devices: [deviceRow("device-1", { name: mark })],
    incarnations: [incarnationRow("incarnation-1", { number: n })],
    conflicts: [conflictRow("conflict", 5, { actor: mark, operationId: "sale" })],
    discrepancies: [discrepancyRow("discrepancy", 6, { product: mark })],
  } satisfies StoreWrites;
}

/** Every read that finds a row of {@link everything}, with its answer. */
function expectations(rows: ReturnType<typeof everything>): readonly (readonly [StoreRead, unknown])[] {
  const feed = { collection: "products", after: 0, upTo: END } as const;
  const [sale, odd] = rows.operations;
  const results = rows.operations.map(resultRow);
  const [record] = rows.records.map(changeOf);
  const page = { limit: 10, bytes: END };
  return [
    [{ kind: "clock" }, rows.clock],
    [{ kind: "epochs" }, rows.epochs],
    [{ kind: "records", keys: [{ collection: "products", id: "tea" }] }, rows.records],
    [{ kind: "operations", ids: ["sale"] }, [sale]],
    [{ kind: "sequences", incarnation: "incarnation-1", sequences: [2] }, [{ sequence: 2, id: "sale" }]],
    [{ kind: "members", transaction: "basket", device: "device-1", limit: 10 }, [sale]],
    [{ kind: "commits", ids: ["release"] }, rows.commits],
    [{ kind: "devices", ids: ["device-1"] }, rows.devices],
    [{ kind: "incarnations", device: "device-1", limit: 10 }, rows.incarnations],
    [
      { kind: "changes", ...feed, ...page, scopes: ["", "north"] },
      { entries: [record, { kind: "departure", row: rows.departures[0] }], more: false },
    ],
    [
      { kind: "changes", ...feed, ...page, scopes: "all" },
      { entries: [record], more: false },
    ],
    [{ kind: "countChanges", ...feed, scopes: "all" }, 1],
    [{ kind: "results", device: "device-1", after: 0, limit: 10 }, results],
    [{ kind: "results", device: "device-1", incarnation: "incarnation-1", after: 0, limit: 10 }, results],
    [{ kind: "quarantined", after: 0, limit: 10 }, [odd]],
    [{ kind: "conflicts", ids: ["conflict"] }, rows.conflicts],
    [{ kind: "conflictsOf", operationIds: ["sale"] }, rows.conflicts],
    [{ kind: "conflictList", state: "open", after: 0, limit: 10 }, rows.conflicts],
    [{ kind: "discrepancies", after: 0, limit: 10 }, rows.discrepancies],
  ];
}

/** The answer of a read that finds nothing. */
function nothing({ kind }: StoreRead): unknown {
  if (kind === "changes") return { entries: [], more: false };
  return kind === "clock" ? undefined : kind === "countChanges" ? 0 : [];
}

function readAny(store: ServerStore, request: StoreRead, tenant: string): Promise<unknown> {
  return store.read(tenant, function* () {
    const [answer] = yield [request];
    return answer;
  });
}

export const readCases: readonly ContractCase[] = [
  contractCase("rows: every read of a tenant without rows is empty", async ({ store }) => {
    for (const [request] of expectations(everything("north", 1))) {
      equal(await readAny(store, request, "empty"), nothing(request), `the answer to ${request.kind}`);
    }
  }),

  contractCase("rows: no read mixes two tenants that have the same ids", async ({ store }) => {
    const tenants = [everything("one", 21), everything("two", 22)] as const;
    await write(store, tenants[0], "shop");
    await write(store, tenants[1], "shop2");
    for (const [tenant, rows] of [
      ["shop", tenants[0]],
      ["shop2", tenants[1]],
    ] as const) {
      for (const [request, expected] of expectations(rows))
        equal(await readAny(store, request, tenant), expected, `${request.kind} of ${tenant}`);
    }
    for (const [request] of expectations(tenants[0]))
      equal(await readAny(store, request, "sho"), nothing(request), `${request.kind} of a third tenant`);

    await write(store, { returns: [{ collection: "products", id: "gone", scope: "north" }] }, "shop2");
    const request = {
      kind: "changes",
      collection: "products",
      scopes: ["north"],
      after: 0,
      upTo: END,
      limit: 10,
      bytes: END,
    } as const;
    equal(
      await readAny(store, request, "shop"),
      { entries: [{ kind: "departure", row: tenants[0].departures[0] }], more: false },
      "a departure that another tenant has removed",
    );
  }),

  contractCase("rows: a row replaces the row with its key, as a whole, in every read", async ({ store }) => {
    await write(store, everything("before", 21));
    const after = everything("after", 22);
    await write(store, after);
    for (const [request, expected] of expectations(after))
      equal(await readAny(store, request, SHOP), expected, `${request.kind} after a rewrite`);

    const bare = deviceRow("device-1", {
      name: undefined,
      os: undefined,
      appVersion: undefined,
      branch: undefined,
      revokedAt: 9,
    });
    await write(store, { devices: [bare] });
    equal(await read(store, { kind: "devices", ids: ["device-1"] }), [bare], "members that were removed");
  }),

  contractCase("rows: an empty list of keys has an empty answer", async ({ store }) => {
    await write(store, everything("north", 1));
    const requests: readonly StoreRead[] = [
      { kind: "records", keys: [] },
      { kind: "operations", ids: [] },
      { kind: "sequences", incarnation: "incarnation-1", sequences: [] },
      { kind: "commits", ids: [] },
      { kind: "devices", ids: [] },
      { kind: "conflicts", ids: [] },
      { kind: "conflictsOf", operationIds: [] },
      { kind: "changes", collection: "products", scopes: [], after: 0, upTo: END, limit: 10, bytes: END },
      { kind: "countChanges", collection: "products", scopes: [], after: 0, upTo: END },
    ];
    for (const request of requests)
      equal(await readAny(store, request, SHOP), nothing(request), `the answer to ${request.kind}`);
    await write(store, {
      epochs: [],
      records: [],
      departures: [],
      returns: [],
      operations: [],
      commits: [],
      devices: [],
      incarnations: [],
      conflicts: [],
      discrepancies: [],
    });
  }),
];
