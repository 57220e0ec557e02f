/**
 * Every case of the store's contract can fail: for each there is a fault, planted around the memory store, that the case finds. A case
 * without a row here fails the test, and so does a fault that its case does not find.
 */
import { expect, test } from "vitest";
import { memoryStore } from "../../../src/server/memory/index.ts";
import type { OperationRow, RecordRow } from "../../../src/server/ports/rows.ts";
import type { ServerStore, StoreRead, StoreScript, StoreWrites } from "../../../src/server/ports/store.ts";
import { type StoreUnderTest, serverStoreContract } from "../../../src/server/testing/index.ts";

type Row = Record<string, unknown>;
type Rows = readonly Row[];

/** What a faulty store does differently. */
interface Fault {
  tenant?(tenant: string): string;
  request?(request: StoreRead): StoreRead;
  answer?(request: StoreRead, answer: unknown): unknown;
  writes?(writes: StoreWrites): StoreWrites;
  /** Members of the store itself. */
  store?(store: ServerStore): Partial<ServerStore>;
  /** What a second store over the same data is. */
  second?(first: ReturnType<typeof memoryStore>): ServerStore;
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The steps of a script, with its requests and answers altered. */
function* altered<T>(fault: Fault, script: Generator<readonly StoreRead[], T, readonly unknown[]>) {
  let step = script.next();
  while (!step.done) {
    const asked = step.value;
    const answers = (yield asked.map((read) => fault.request?.(read) ?? read)) as readonly unknown[];
    step = script.next(asked.map((read, at) => (fault.answer ? fault.answer(read, answers[at]) : answers[at])));
  }
  return step.value;
}

function faulty(inner: ServerStore, fault: Fault): ServerStore {
  const named = (tenant: string) => fault.tenant?.(tenant) ?? tenant;
  const store: ServerStore = {
    kind: inner.kind,
    "~port": "server-store",
    transact: (tenant, script) =>
      inner.transact(named(tenant), function* () {
        const { value, writes } = yield* altered(fault, script());
        return { value, writes: fault.writes?.(writes) ?? writes };
      }),
    read: (tenant, script) => inner.read(named(tenant), () => altered(fault, script())),
    secret: () => inner.secret(),
    close: () => inner.close(),
  };
  return { ...store, ...fault.store?.(store) };
}

/** A second process over the same data: it is closed apart from the first. */
function shared(inner: ServerStore): ServerStore {
  let isClosed = false;
  const open = async () => {
    if (isClosed) throw new Error("The store is closed.");
  };
  return {
    ...faulty(inner, {}),
    transact: (tenant, script) => open().then(() => inner.transact(tenant, script)),
    read: (tenant, script) => open().then(() => inner.read(tenant, script)),
    secret: () => open().then(() => inner.secret()),
    async close() {
      isClosed = true;
    },
  };
}

async function make(fault: Fault): Promise<StoreUnderTest> {
  const data = memoryStore();
  return {
    store: faulty(shared(data), fault),
    open: async () => faulty(fault.second?.(data) ?? shared(data), fault),
    cleanup: () => data.close(),
  };
}

const of = (kind: StoreRead["kind"], change: (answer: never, request: never) => unknown): Fault => ({
  answer: (request, answer) => (request.kind === kind ? change(answer as never, request as never) : answer),
});
const page = (change: (page: { entries: Rows; more: boolean }, request: { limit: number; bytes: number }) => object) =>
  of("changes", change as never);
const reversed = (kind: StoreRead["kind"]) => of(kind, (rows: Rows) => [...rows].reverse());
const first = (kind: StoreRead["kind"]) => of(kind, (rows: Rows) => rows.slice(0, 1));
const asking = (kind: StoreRead["kind"], change: object): Fault => ({
  request: (request) => (request.kind === kind ? ({ ...request, ...change } as StoreRead) : request),
});
const ids = (change: (id: string) => string): Pick<Fault, "writes"> => ({
  writes: (writes) => ({
    ...writes,
    ...(writes.records && { records: writes.records.map((row) => ({ ...row, id: change(row.id) })) }),
  }),
});
const records = (change: (row: RecordRow) => RecordRow): Fault => ({
  writes: (writes) => ({ ...writes, ...(writes.records && { records: writes.records.map(change) }) }),
});

/** Keeps what was there: whatever is written again under the same id is not. */
function keepsTheFirst(kind: "devices"): Fault {
  const known = new Set<string>();
  return {
    writes(writes) {
      const fresh = (writes[kind] ?? []).filter(({ id }) => !known.has(id));
      for (const { id } of fresh) known.add(id);
      return { ...writes, [kind]: fresh };
    },
  };
}

function keepsTheFirstFeedPosition(): Fault {
  const known = new Map<string, number>();
  const kept = (row: OperationRow) => {
    if (!known.has(row.id)) known.set(row.id, row.feedPosition);
    return { ...row, feedPosition: known.get(row.id) ?? row.feedPosition };
  };
  return { writes: (writes) => ({ ...writes, ...(writes.operations && { operations: writes.operations.map(kept) }) }) };
}

/** Hands out the very objects that it was given. */
function keepsReferences(): Fault {
  const known = new Map<string, RecordRow>();
  return {
    writes(writes) {
      for (const row of writes.records ?? []) known.set(row.id, row);
      return writes;
    },
    answer: (request, answer) =>
      request.kind === "records" ? (answer as readonly RecordRow[]).map((row) => known.get(row.id) ?? row) : answer,
  };
}

/** Reads first, and writes later: others may come in between. */
const racing: Fault = {
  store: (inner) => ({
    async transact<T>(tenant: string, script: () => StoreScript<T>): Promise<T> {
      const { value, writes } = await inner.read(tenant, script);
      await tick();
      // biome-ignore lint/correctness/useYield: a script that reads nothing
      return inner.transact(tenant, function* () {
        return { value, writes };
      });
    },
  }),
};
/** Each step of a read is of its own moment. */
const torn: Fault = {
  store: (inner) => ({
    async read(tenant, script) {
      const steps = script();
      let step = steps.next();
      while (!step.done) {
        const asked = step.value;
        const answers = await inner.read(tenant, function* (): Generator<typeof asked, readonly unknown[], never> {
          return yield asked;
        });
        await tick();
        step = steps.next(answers);
      }
      return step.value;
    },
  }),
};
/** The clock is stored before the rows below it. */
const clockFirst: Fault = {
  store: (inner) => ({
    async transact<T>(tenant: string, script: () => StoreScript<T>): Promise<T> {
      let rest: StoreWrites = {};
      const value = await inner.transact(tenant, function* () {
        const done = yield* script();
        const { clock, ...others } = done.writes;
        rest = others;
        return { value: done.value, writes: { clock } };
      });
      await tick();
      // biome-ignore lint/correctness/useYield: a script that reads nothing
      await inner.transact(tenant, function* () {
        return { value: undefined, writes: rest };
      });
      return value;
    },
  }),
};

/** By the name of the case. */
const faults: Readonly<Record<string, () => Fault>> = {
  "transact: resolves with the script's value, and its writes are stored": () => ({
    store: (inner) => ({ transact: (tenant, script) => inner.transact(tenant, script).then(() => undefined as never) }),
  }),
  "transact: answers are in the order of the reads, step by step": () => ({
    store: (inner) => ({
      transact: (tenant, script) =>
        inner.transact(tenant, function* () {
          const steps = script();
          let step = steps.next();
          while (!step.done) step = steps.next([...(yield step.value)].reverse());
          return step.value;
        }),
    }),
  }),
  "transact: a hundred concurrent transactions are serial": () => racing,
  "transact: concurrent resends of one operation find each other's result": () => racing,
  "transact: each tenant has its own clock, also under concurrency": () => ({ tenant: () => "one" }),
  "transact: a script that throws stores nothing, and rejects with what it threw": () => ({
    store: (inner) => ({
      transact: (tenant, script) =>
        inner.transact(tenant, script).catch((cause: unknown) => {
          throw new Error("It failed.", { cause });
        }),
    }),
  }),
  "transact: two operations with one sequence number of an incarnation are refused, and nothing is stored": () => ({
    store: (inner) => ({
      transact: (tenant, script) =>
        inner.transact(tenant, script).catch(() =>
          inner.transact(tenant, function* () {
            const { value, writes } = yield* script();
            return { value, writes: { ...writes, operations: [] } };
          }),
        ),
    }),
  }),
  "read: one snapshot over all of its steps, while others write": () => torn,
  "read: no position is visible without everything below it": () => clockFirst,
  "secret: long, and the same at every call": () => ({
    store: () => ({ secret: async () => crypto.randomUUID() + crypto.randomUUID() }),
  }),
  "close: closing twice is harmless, and every later call rejects": () => ({
    store: () => ({ close: async () => {} }),
  }),

  "rows: every read of a tenant without rows is empty": () => of("clock", (clock) => clock ?? { position: 0 }),
  "rows: no read mixes two tenants that have the same ids": () => ({ tenant: (tenant) => tenant.slice(0, 4) }),
  "rows: a row replaces the row with its key, as a whole, in every read": () => keepsTheFirst("devices"),
  "rows: an empty list of keys has an empty answer": () =>
    of("records", (rows: Rows, { keys }: { keys: readonly unknown[] }) => (keys.length === 0 ? [{ id: "tea" }] : rows)),

  "rows: two thousand keys in one read; unknown keys are left out, and a repeated key counts once": () =>
    of("records", (rows: Rows) => rows.slice(0, 999)),
  "rows: epochs, and the incarnations of a device": () => first("incarnations"),
  "rows: the first members of a device's transaction, by position, and no others": () =>
    of("members", (rows: Rows) => [...rows].reverse()),

  "changes: ascending by version, above `after`, up to `upTo`, at most `limit` entries": () =>
    page(({ entries, more }) => ({ entries: [...entries].reverse(), more })),
  "changes: a row that changed again appears once, at its new version": () =>
    page(({ entries, more }) => {
      const old = entries.filter(({ row }) => (row as Row).id === "tea");
      return {
        entries: [...old.map((entry) => ({ ...entry, row: { ...(entry.row as Row), version: 1 } })), ...entries],
        more,
      };
    }),
  "changes: deleted rows are changes; stubs are not, until they become rows": () =>
    page(({ entries, more }) => ({ entries: entries.filter(({ row }) => (row as Row).state !== "deleted"), more })),
  'changes: only the scopes that were asked for; "all" is every scope': () => asking("changes", { scopes: "all" }),
  "changes: page by page, every change of many scopes is returned exactly once": () =>
    page(({ entries }) => ({ entries, more: false })),
  "changes: a row that left a scope is a departure there, until it returns": () => ({
    writes: ({ departures: _, ...writes }) => writes,
  }),
  "changes: a row that left one of the reader's scopes for another has not left the reader": () =>
    page(({ entries, more }) => ({ entries: entries.filter(({ kind }) => kind !== "departure"), more })),
  "changes: page by page, every change and every departure is returned exactly once": () =>
    page(({ entries, more }) => ({
      entries:
        more && entries.at(-1)?.kind === "departure" && entries.length > 1
          ? entries.slice(0, -1).concat(entries.slice(0, 1))
          : entries,
      more,
    })),
  "changes: a page ends with the record that brings it to `bytes` (L12)": () =>
    asking("changes", { bytes: Number.MAX_SAFE_INTEGER }),
  "changes: in pages limited by bytes, every change and every departure is returned exactly once": () =>
    page(({ entries, more }, { limit }) => ({ entries, more: more && entries.length === limit })),

  "results: of one device, ascending by feed position, above `after`, at most `limit` rows": () => reversed("results"),
  "results: of one incarnation, or of every incarnation of the device": () =>
    asking("results", { incarnation: undefined }),
  "results: a revised result moves to its new feed position, and keeps its position": keepsTheFirstFeedPosition,
  "quarantined: operations that still wait for a person, ascending by position": () => reversed("quarantined"),
  "held: what of one device waits in quarantine: how many operations, how many bytes": () =>
    asking("held", { device: "device-2" }),
  "conflicts: open and settled ones, ascending by position": () => asking("conflictList", { state: "open" }),
  "conflicts: all conflicts of an operation": () => first("conflictsOf"),
  "discrepancies: ascending by position": () => reversed("discrepancies"),

  "fidelity: JSON is returned as it was stored": () =>
    records((row) => ({ ...row, data: JSON.parse(JSON.stringify(row.data).normalize("NFC")) as RecordRow["data"] })),
  "fidelity: positions up to 2^53 - 1, exactly": () =>
    records((row) => ({ ...row, version: row.version > 2 ** 52 ? row.version - (row.version % 2) : row.version })),
  "fidelity: keys are compared as they are: case, spaces, digits, accents": () => ({
    ...ids((id) => id.toLowerCase()),
    request: (request) =>
      request.kind === "records"
        ? { ...request, keys: request.keys.map((key) => ({ ...key, id: key.id.toLowerCase() })) }
        : request,
  }),
  "fidelity: an id with U+0000 or a lone surrogate is stored exactly or refused, and never changed": () =>
    ids((id) => id.split("\0")[0] as string),
  "fidelity: changes to the caller's objects do not change what is stored": keepsReferences,

  "persistence: everything is still there after the store was closed and opened again": () => ({
    second: () => memoryStore(),
  }),
  "persistence: transactions of two stores over the same data are serial": () => ({
    second(data) {
      const copy = memoryStore();
      copy.restore(data.snapshot());
      return copy;
    },
  }),
  "persistence: two stores that open new data at the same time agree": () => ({ second: () => memoryStore() }),
};

const cases = serverStoreContract();

test("each case has a fault, and each fault a case", () => {
  expect(Object.keys(faults).sort()).toEqual(cases.map(({ name }) => name).sort());
});

test.each(cases.map((one) => [one.name, one] as const))("without a fault it passes: %s", (_, { run }) =>
  expect(run(() => make({}))).resolves.toBeUndefined(),
);

test.each(cases.map((one) => [one.name, one] as const))("it finds its fault: %s", (name, { run }) =>
  expect(run(() => make(faults[name]?.() ?? {}))).rejects.toThrow("breaks its contract"),
);
