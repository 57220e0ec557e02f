/**
 * Every case of the storage contract can fail: for each there is a fault, planted around the memory adapter, that the case finds. A case
 * without a row here fails the test, and so does a fault that its case does not find.
 */
import { expect, test } from "vitest";
import type {
  ScannedRow,
  ScanOptions,
  StorageAdapter,
  StorageConnection,
  StorageLayout,
  StorageRead,
  StorageScript,
  StorageWrite,
} from "../../src/client/ports/storage.ts";
import { memory } from "../../src/storage/memory/memory.ts";
import { storageContract } from "../../src/testing/storage-contract.ts";

/** What a faulty adapter does differently. */
interface Fault {
  /** The name under which a store is opened. */
  name?(name: string): string;
  layout?(layout: StorageLayout): StorageLayout;
  /** The connection never hears that another one has the store. */
  isDeaf?: boolean;
  request?(read: StorageRead): StorageRead;
  answer?(read: StorageRead, answer: unknown): unknown;
  writes?(writes: readonly StorageWrite[]): readonly StorageWrite[];
  connection?(connection: StorageConnection): Partial<StorageConnection>;
}

type Rows = readonly ScannedRow<unknown>[];
type Put = Extract<StorageWrite, { kind: "put" }>;
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

function faulty(made: Fault | (() => Fault)): StorageAdapter {
  const inner = memory();
  const whole = typeof made === "function" ? undefined : made;
  return {
    ...inner,
    async open(name, layout, hooks) {
      // One that remembers something does so for each connection.
      const fault = whole ?? (made as () => Fault)();
      const heard = fault.isDeaf ? { onFailure() {}, onSuperseded() {} } : hooks;
      const opened = await inner.open(fault.name?.(name) ?? name, fault.layout?.(layout) ?? layout, heard);
      return wrapped(opened, fault);
    },
  };
}

function wrapped(inner: StorageConnection, fault: Fault): StorageConnection {
  const asked = (read: StorageRead) => fault.request?.(read) ?? read;
  const told = (read: StorageRead, answer: unknown) => (fault.answer ? fault.answer(read, answer) : answer) as never;
  const connection: StorageConnection = {
    async get(table, keys) {
      const read = { kind: "get", table, keys } as const;
      return told(read, await inner.get(table, (asked(read) as typeof read).keys));
    },
    async scan(table, options) {
      const read: StorageRead = { kind: "scan", table, options };
      return told(read, await inner.scan(table, (asked(read) as { options: ScanOptions }).options));
    },
    async count(table, options) {
      const read: StorageRead = { kind: "count", table, options };
      return told(read, await inner.count(table, (asked(read) as { options: ScanOptions }).options));
    },
    transact: (options, script) =>
      inner.transact(options, function* () {
        const steps = script();
        let step = steps.next();
        while (!step.done) {
          const reads = step.value;
          const answers = (yield reads.map(asked)) as readonly unknown[];
          step = steps.next(reads.map((read, at) => told(read, answers[at])));
        }
        const { value, writes } = step.value;
        return { value, writes: fault.writes?.(writes) ?? writes };
      }),
    estimate: () => inner.estimate(),
    close: () => inner.close(),
    destroy: () => inner.destroy(),
  };
  return { ...connection, ...fault.connection?.(connection) };
}

const onScan = (change: (rows: Rows, options: ScanOptions) => Rows): Fault => ({
  answer: (read, answer) => (read.kind === "scan" ? change(answer as Rows, read.options) : answer),
});
const onGet = (change: (values: readonly unknown[]) => readonly unknown[]): Fault => ({
  answer: (read, answer) => (read.kind === "get" ? change(answer as readonly unknown[]) : answer),
});
const asking = (change: (options: ScanOptions) => ScanOptions): Fault => ({
  request: (read) => (read.kind === "get" ? read : { ...read, options: change(read.options) }),
});
const withoutPuts = (isBad: (put: Put) => boolean): Fault => ({
  writes: (writes) => writes.filter((write) => write.kind !== "put" || !isBad(write)),
});

/** Reads first, each step of its own moment, and writes later: others may come in between. */
const racing: Fault = {
  connection: (inner) => ({
    async transact<T>(options: never, script: () => StorageScript<T>): Promise<T> {
      const steps = script();
      let step = steps.next();
      while (!step.done) {
        const answers: unknown[] = [];
        for (const read of step.value)
          answers.push(
            await (read.kind === "get"
              ? inner.get(read.table, read.keys)
              : read.kind === "scan"
                ? inner.scan(read.table, read.options)
                : inner.count(read.table, read.options)),
          );
        await tick();
        step = steps.next(answers);
      }
      const done = step.value;
      // biome-ignore lint/correctness/useYield: a script that reads nothing
      return inner.transact(options, function* () {
        return done;
      });
    },
  }),
};
/** What a caller should be told is an empty answer. */
const quiet: Fault = {
  connection: (inner) => ({
    get: <V>(table: string, keys: readonly string[]) =>
      inner.get<V>(table, keys).catch((): readonly (V | undefined)[] => []),
    scan: <V>(table: string, options: ScanOptions) =>
      inner.scan<V>(table, options).catch((): readonly ScannedRow<V>[] => []),
    count: (table, options) => inner.count(table, options).catch(() => 0),
  }),
};
/** A guess counts as the answer. */
function guessing(): Fault {
  const known = new Map<string, unknown>();
  return {
    answer(read, answer) {
      if (read.kind !== "get" || read.speculate === undefined) return answer;
      if (read.speculate === "absent") return read.keys.map(() => undefined);
      const [key = ""] = read.keys;
      if (!known.has(key)) known.set(key, (answer as readonly unknown[])[0]);
      return [known.get(key)];
    },
    writes(writes) {
      for (const write of writes) known.set(write.key, write.kind === "put" ? write.value : undefined);
      return writes;
    },
  };
}
/** Each connection has a store of its own. */
function apart(): () => Fault {
  let opened = 0;
  return () => {
    opened += 1;
    const at = opened;
    return { name: (name) => `${name}-${at}` };
  };
}
/** Hands out the very objects that it was given. */
function keepsReferences(): Fault {
  const known = new Map<string, unknown>();
  return {
    writes(writes) {
      for (const write of writes) if (write.kind === "put") known.set(write.key, write.value);
      return writes;
    },
    answer: (read, answer) => (read.kind === "get" ? read.keys.map((key) => known.get(key)) : answer),
  };
}
/** An index that was not there at first stays empty. */
function buildsNoIndex(): () => Fault {
  let first: StorageLayout | undefined;
  return () => {
    const fault: Fault = onScan((rows, { index }) =>
      index === undefined || first?.tables.some(({ indexes }) => indexes.some(({ name }) => name === index))
        ? rows
        : [],
    );
    return {
      ...fault,
      layout(layout) {
        first ??= layout;
        return layout;
      },
    };
  };
}

const formatless: Fault = { layout: (layout) => ({ ...layout, format: 1 }) };

/** By the name of the case. */
const faults: Readonly<Record<string, () => Fault | (() => Fault)>> = {
  "get returns rows in the order of the keys, and undefined for those that are not there": () =>
    onGet((values) => values.filter((value) => value !== undefined)),
  "many keys at once are read like a few, however many of them exist": () =>
    onGet((values) => values.map((value, at) => (at < 100 ? value : undefined))),
  "a scan without an index is in the order of the primary keys, by UTF-16 code units": () =>
    onScan((rows) => [...rows].sort((a, b) => a.primary.localeCompare(b.primary))),
  "a scan of an index is in the order of its keys, and returns the key of each row": () =>
    onScan((rows) => rows.map((row) => ({ ...row, key: row.primary }))),
  "numbers come before strings, and strings before arrays, element by element": () =>
    onScan((rows) => [...rows].sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1))),
  "a row has an entry for each of its distinct keys": () =>
    onScan((rows) => rows.filter(({ primary }, at) => rows.findIndex((row) => row.primary === primary) === at)),
  "a value without keys is not in the index; an invalid key is left out": () => ({
    request: (read) => (read.kind === "count" ? { ...read, options: {} } : read),
  }),
  "overwriting a row moves its entries; deleting it takes them away": () => ({
    writes: (writes) => writes.filter(({ kind }) => kind === "put"),
  }),
  "a table or an index that is not in the layout is a defect of the caller": () => quiet,

  "ranges: closed, open, half-open, a single key, empty, and impossible": () =>
    asking(({ range, ...rest }) => ({ ...rest, ...(range && { range: { ...range, lowerOpen: false } }) })),
  "ranges: prefixes of strings, and of keys that are arrays": () =>
    asking(({ range, ...rest }) => ({ ...rest, ...(range?.lower !== undefined && { range: { lower: range.lower } }) })),
  "limit: the first ones, none for 0, all if there are fewer": () =>
    asking(({ limit, ...rest }) => ({ ...rest, limit: limit || undefined })),
  "after: pages meet without a gap or an overlap, also among equal keys, in both directions": () =>
    onScan((rows, { after }) => rows.filter(({ key }) => JSON.stringify(key) !== JSON.stringify(after?.key))),
  "after: the entry need not exist, nor be in the range": () =>
    asking(({ after, ...rest }) => ({ ...rest, ...(after && rest.range && { after }) })),

  "a script receives the answers in the order of its reads, and its value is the result": () => ({
    connection: (inner) => ({
      transact: (options, script) =>
        inner.transact(options, function* () {
          const steps = script();
          let step = steps.next();
          while (!step.done) step = steps.next([...(yield step.value)].reverse());
          return step.value;
        }),
    }),
  }),
  "all of a script's writes are stored, in their order, in all of its tables": () => ({
    writes: (writes) =>
      writes.filter(({ table, key }, at) => writes.findIndex((one) => one.table === table && one.key === key) === at),
  }),
  "an error that a script throws reaches its caller unchanged, and nothing of the script is stored": () => ({
    connection: (inner) => ({
      transact: (options, script) =>
        inner.transact(options, script).catch((cause: unknown) => {
          throw new Error("It failed.", { cause });
        }),
    }),
  }),
  "a script that throws contributes nothing, and doesn't disturb scripts that run beside it": () => ({
    connection: (inner) => {
      let last: Promise<unknown> = Promise.resolve();
      return {
        transact(options, script) {
          // Joined with the one before: it fails with it.
          const own = last.then(() => inner.transact(options, script));
          last = own;
          return own;
        },
      };
    },
  }),
  "a value that can't be stored fails all of its own script, and no other": () =>
    withoutPuts(({ value }) => typeof (value as { f?: unknown } | null)?.f === "function"),
  "keys that can't be computed fail all of their own script, and no other": () =>
    withoutPuts(({ value }) => value === null),
  "100 concurrent scripts that read, add and write add up to 100": () => racing,
  "scripts through two connections to one store take turns, and each sees the other's commits": () => racing,
  "scripts of one connection run in the order of the calls": () => ({
    connection: (inner) => ({
      async transact(options, script) {
        if (options.durability === "relaxed") await tick();
        return inner.transact(options, script);
      },
    }),
  }),
  "a script sees the rows of all tables as of one moment": () => racing,
  "a script reads the writes of all scripts before it, and not its own": () => racing,
  "a script that reads or writes a table that it has not declared fails": () => ({
    connection: (inner) => ({
      transact: (options, script) => inner.transact({ ...options, tables: ["products", "counters", "sales"] }, script),
    }),
  }),

  "a script sees what another connection has written since, whatever it speculated on": () => guessing,
  "scripts that run at once on two connections each see the one before": () => guessing,
  "a row that was expected to be absent is seen, and not overwritten": () => guessing,
  "two scripts started together: the second sees the row that both expected to be absent": () => guessing,
  "an error that a script throws because of a wrong guess is not reported": () => guessing,
  "a deleted row is seen to be gone, whichever connection deleted it": () => guessing,

  "a connection that is opened later sees every write that has resolved": apart,
  "stored values are not the writer's objects": keepsReferences,
  "unusual values and keys are returned as they were written": () => ({
    writes: (writes) =>
      writes.map((write) =>
        write.kind === "put" ? { ...write, value: JSON.parse(JSON.stringify(write.value)) as unknown } : write,
      ),
  }),
  "5,000 rows in one transaction": () => ({ writes: (writes) => writes.slice(0, 1_000) }),

  "rows are there after the store was opened again": apart,
  "stores with different names are independent of each other": () => ({ name: () => "one" }),
  "an index that was added, or whose signature changed, is built from the rows when the store is opened": buildsNoIndex,
  "an index that is no longer in the layout is gone, and is built again if it returns": () => quiet,
  "a table that the layout does not name keeps its rows": () => quiet,
  "a store in a newer format is refused, and not changed": () => formatless,
  "a store in an older format is opened, and refused by older versions from then on": () => formatless,
  "a connection is notified and closed if another one changes the layout": () => ({ isDeaf: true }),
  "close waits for what has begun; afterwards every call is refused": () => ({
    connection: () => ({ close: async () => {} }),
  }),
  "destroy empties the store, whatever its layout was, and closes all connections to it": () => ({
    connection: (inner) => ({ destroy: () => inner.close() }),
  }),
  "estimate returns what is known about the space, and nothing else": () => ({
    connection: () => ({ estimate: async () => ({ persisted: true, usedBytes: -1, quotaBytes: undefined }) }),
  }),
  "a script may read any number of times, and no other script runs in between": () => racing,
};

const cases = storageContract();

test("each case has a fault, and each fault a case", () => {
  expect(Object.keys(faults).sort()).toEqual(cases.map(({ name }) => name).sort());
});

test.each(cases.map((one) => [one.name, one] as const))("without a fault it passes: %s", (_, { run }) =>
  expect(run(() => faulty({}))).resolves.toBeUndefined(),
);

test.each(cases.map((one) => [one.name, one] as const))("it finds its fault: %s", (name, { run }) =>
  expect(run(() => faulty(faults[name]?.() ?? {}))).rejects.toThrow(/^Expected|^There is none/),
);
