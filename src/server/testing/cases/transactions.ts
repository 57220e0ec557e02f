/** Transactions are serial, atomic and consistent. */
import { ask, askAll, type ServerStore } from "../../ports/store.ts";
import { check, equal, rejects, sameRows } from "../assertions.ts";
import { read, SHOP, takePosition, upTo, write } from "../calls.ts";
import { type ContractCase, contractCase, type StoreUnderTest } from "../contract-case.ts";
import { clockRow, operationRow, recordRow } from "../rows.ts";

/** How often readers and writers meet. */
const ROUNDS = 30;
/** How many different positions the readers must have seen. If they saw fewer, the case would test nothing. */
const LEAST_SEEN = ROUNDS / 2;
/** A read ends after so many steps even if the store lets no transaction commit during a read. */
const MOST_STEPS = 50;
/** The reads of one round end after so many, even if the transactions of the round have not. */
const MOST_LOOKS = 50;

/** Gives the row the next position of the tenant. */
function sell(store: ServerStore, id: string): Promise<void> {
  return store.transact(SHOP, function* () {
    const clock = yield* ask({ kind: "clock" });
    const position = (clock?.position ?? 0) + 1;
    return { value: undefined, writes: { clock: clockRow(position), records: [recordRow(id, position)] } };
  });
}

/** Reads through a second store if there can be one, as another process would: it shares no queue with the writer. */
async function withReader(
  { store, open }: StoreUnderTest,
  body: (reader: ServerStore) => Promise<void>,
): Promise<void> {
  const second = await open?.();
  try {
    await body(second ?? store);
  } finally {
    await second?.close();
  }
}

function checkInterleaved(seen: ReadonlySet<number>): void {
  check(seen.size >= LEAST_SEEN, `the reads saw ${seen.size} different positions, expected at least ${LEAST_SEEN}`);
}

export const transactionCases: readonly ContractCase[] = [
  contractCase("transact: resolves with the script's value, and its writes are stored", async ({ store }) => {
    const value = await store.transact(SHOP, function* () {
      const clock = yield* ask({ kind: "clock" });
      return { value: { before: clock }, writes: { clock: clockRow(7), records: [recordRow("tea", 7)] } };
    });
    equal(value, { before: undefined }, "a tenant has no clock before its first transaction");
    equal(await read(store, { kind: "clock" }), clockRow(7), "the clock");
    equal(await read(store, { kind: "records", keys: [recordRow("tea", 7)] }), [recordRow("tea", 7)], "the record");
  }),

  contractCase("transact: answers are in the order of the reads, step by step", async ({ store }) => {
    await write(store, { clock: clockRow(2), records: [recordRow("tea", 1), recordRow("milk", 2)] });
    await store.transact(SHOP, function* () {
      const [milk, clock, tea] = yield* askAll([
        { kind: "records", keys: [{ collection: "products", id: "milk" }] },
        { kind: "clock" },
        { kind: "records", keys: [{ collection: "products", id: "tea" }] },
      ]);
      equal([milk[0]?.id, clock?.position, tea[0]?.id], ["milk", 2, "tea"], "three reads of one step");
      const nothing = yield* askAll([]);
      equal(nothing, [], "a step without reads");
      const again = yield* ask({ kind: "clock" });
      equal(again, clock, "a later step of one transaction");
      return { value: undefined, writes: {} };
    });
  }),

  contractCase("transact: a hundred concurrent transactions are serial", async ({ store }) => {
    const positions = await Promise.all(upTo(100).map((n) => takePosition(store, `operation-${n}`)));
    equal(
      positions.toSorted((a, b) => a - b),
      upTo(100),
      "each transaction saw the ones before it",
    );
    equal((await read(store, { kind: "clock" }))?.position, 100, "the clock");
  }),

  contractCase("transact: concurrent resends of one operation find each other's result", async ({ store }) => {
    const send = () =>
      store.transact(SHOP, function* () {
        const [stored] = yield* ask({ kind: "operations", ids: ["sale"] });
        return stored === undefined
          ? { value: "applied", writes: { operations: [operationRow("sale", 1)] } }
          : { value: "replayed", writes: {} };
      });
    const outcomes = await Promise.all(upTo(20).map(send));
    equal(outcomes.filter((outcome) => outcome === "applied").length, 1, "how often the operation was applied");
  }),

  contractCase("transact: each tenant has its own clock, also under concurrency", async ({ store }) => {
    const tenants = ["north", "south"];
    await Promise.all(upTo(20).flatMap((n) => tenants.map((tenant) => takePosition(store, `operation-${n}`, tenant))));
    for (const tenant of tenants)
      equal((await read(store, { kind: "clock" }, tenant))?.position, 20, `the clock of ${tenant}`);
  }),

  contractCase("transact: a script that throws stores nothing, and rejects with what it threw", async ({ store }) => {
    await write(store, { clock: clockRow(1), records: [recordRow("tea", 1)] });
    const poison = new Error("poison");
    const thrown = await rejects(
      store.transact(SHOP, function* () {
        yield* ask({ kind: "clock" });
        throw poison;
      }),
      "a script that throws",
    );
    check(thrown === poison, "the rejection is not the script's own error");
    equal(await read(store, { kind: "clock" }), clockRow(1), "the clock after a script threw");
    equal(await takePosition(store, "next"), 2, "the next transaction");
  }),

  contractCase(
    "transact: two operations with one sequence number of an incarnation are refused, and nothing is stored",
    async ({ store }) => {
      await write(store, { clock: clockRow(1), operations: [operationRow("first", 1, { sequence: 5 })] });
      const fork = {
        clock: clockRow(2),
        records: [recordRow("tea", 2)],
        operations: [operationRow("second", 2, { sequence: 5 })],
      };
      await rejects(write(store, fork), "a second operation with the sequence number");
      const twins = {
        clock: clockRow(2),
        operations: [operationRow("third", 2, { sequence: 6 }), operationRow("fourth", 3, { sequence: 6 })],
      };
      await rejects(write(store, twins), "two operations with one sequence number in one transaction");

      equal(await read(store, { kind: "clock" }), clockRow(1), "the clock after the refusals");
      equal(
        await read(store, { kind: "operations", ids: ["second", "third", "fourth"] }),
        [],
        "the refused operations",
      );
      equal(
        await read(store, { kind: "records", keys: [{ collection: "products", id: "tea" }] }),
        [],
        "the record of a refused transaction",
      );
      const request = { kind: "sequences", incarnation: "incarnation-1", sequences: [5, 6] } as const;
      equal(await read(store, request), [{ sequence: 5, id: "first" }], "the owners of the sequence numbers");

      const revised = operationRow("first", 1, { sequence: 5, revision: 1, feedPosition: 4 });
      const elsewhere = operationRow("fifth", 2, { sequence: 5, incarnation: "incarnation-2" });
      const unseen = [
        operationRow("sixth", 3, { sequence: undefined }),
        operationRow("seventh", 4, { sequence: undefined }),
      ];
      await write(store, { operations: [revised, elsewhere, ...unseen] });
      await write(store, { operations: [operationRow("first", 1, { sequence: 5 })] }, "another shop");
      sameRows(
        await read(store, { kind: "operations", ids: ["first", "fifth", "sixth", "seventh"] }),
        [revised, elsewhere, ...unseen],
        "operations that do not collide",
      );
    },
  ),

  contractCase("read: one snapshot over all of its steps, while others write", (subject) =>
    withReader(subject, async (reader) => {
      const seen = new Set<number>();
      for (const round of upTo(ROUNDS)) {
        let isSold = false;
        const look = () =>
          reader.read(SHOP, function* () {
            const before = yield* ask({ kind: "clock" });
            // Read on until the sale is committed, if the store commits it during a read.
            for (let step = 0; !isSold && step < MOST_STEPS; step += 1) yield* ask({ kind: "clock" });
            const [tea] = yield* ask({ kind: "records", keys: [{ collection: "products", id: "tea" }] });
            const after = yield* ask({ kind: "clock" });
            equal(
              [tea?.version, after?.position],
              [before?.position, before?.position],
              "the row and the clock of one snapshot",
            );
            return before?.position ?? 0;
          });
        const sold = sell(subject.store, "tea").then(() => {
          isSold = true;
        });
        const [position] = await Promise.all([look(), sold]);
        check(position >= round - 1, `a read saw position ${position} after position ${round - 1} was committed`);
        seen.add(position);
      }
      checkInterleaved(seen);
    }),
  ),

  contractCase("read: no position is visible without everything below it", (subject) =>
    withReader(subject, async (reader) => {
      const seen = new Set<number>();
      const look = () =>
        reader.read(SHOP, function* () {
          const clock = yield* ask({ kind: "clock" });
          const position = clock?.position ?? 0;
          const { entries } = yield* ask({
            kind: "changes",
            collection: "products",
            scopes: [""],
            after: 0,
            upTo: position,
            limit: 1_000,
            bytes: 1_000_000,
          });
          equal(
            entries.map(({ row }) => row.version),
            upTo(position),
            "the versions up to the clock's position",
          );
          seen.add(position);
        });
      for (const round of upTo(ROUNDS)) {
        let isSold = false;
        const sold = Promise.all([subject.store, reader].map((store, n) => sell(store, `row-${round}-${n}`))).finally(
          () => {
            isSold = true;
          },
        );
        const looking = (async () => {
          for (let looks = 0; !isSold && looks < MOST_LOOKS; looks += 1) await look();
        })();
        await Promise.all([looking, sold]);
      }
      checkInterleaved(seen);
    }),
  ),

  contractCase("secret: long, and the same at every call", async ({ store }) => {
    const [first, second] = await Promise.all([store.secret(), store.secret()]);
    check(first.length >= 32, "the secret is shorter than 32 characters");
    equal(second, first, "the secret");
  }),

  contractCase("close: closing twice is harmless, and every later call rejects", async ({ store }) => {
    const last = takePosition(store, "operation-1");
    await store.close();
    await store.close();
    equal(await last, 1, "a transaction that was requested before the store was closed");
    await rejects(takePosition(store, "operation-2"), "transact after close");
    await rejects(read(store, { kind: "clock" }), "read after close");
    await rejects(store.secret(), "secret after close");
  }),
];
