/** Stores that keep their data: after a restart, and between processes. */
import type { ServerStore } from "../../ports/store.ts";
import { check, equal, rejects } from "../assertions.ts";
import { read, takePosition, upTo, write } from "../calls.ts";
import { type ContractCase, contractCase, type StoreUnderTest } from "../contract-case.ts";
import { changeOf, clockRow, operationRow, recordRow } from "../rows.ts";

async function openSecond({ open }: StoreUnderTest): Promise<ServerStore> {
  check(open !== undefined, "the `make` of a persistent store must return `open`");
  return (open as () => Promise<ServerStore>)();
}

export const persistenceCases: readonly ContractCase[] = [
  contractCase(
    "persistence: everything is still there after the store was closed and opened again",
    async (subject) => {
      const { store } = subject;
      const records = upTo(50).map((n) => recordRow(`row-${n}`, n));
      await write(store, { clock: clockRow(50), records, operations: [operationRow("sale", 51)] });
      const secret = await store.secret();
      await store.close();

      const second = await openSecond(subject);
      try {
        equal(await second.secret(), secret, "the secret");
        equal(await read(second, { kind: "clock" }), clockRow(50), "the clock");
        equal(await read(second, { kind: "operations", ids: ["sale"] }), [operationRow("sale", 51)], "the operation");
        const changes = await read(second, {
          kind: "changes",
          collection: "products",
          scopes: [""],
          after: 0,
          upTo: 100,
          limit: 100,
          bytes: 1_000_000,
        });
        equal(changes.entries, records.map(changeOf), "the change feed");
        equal(await takePosition(second, "next"), 51, "the next position");
      } finally {
        await second.close();
      }
    },
  ),

  contractCase("persistence: transactions of two stores over the same data are serial", async (subject) => {
    const { store } = subject;
    const second = await openSecond(subject);
    try {
      const both = [store, second];
      const positions = await Promise.all(
        upTo(60).map((n) => takePosition(both[n % 2] as ServerStore, `operation-${n}`)),
      );
      equal(
        positions.toSorted((a, b) => a - b),
        upTo(60),
        "each transaction saw the ones before it",
      );
      for (const one of both) equal((await read(one, { kind: "clock" }))?.position, 60, "the clock");
      equal(await second.secret(), await store.secret(), "the secret");

      await write(store, { operations: [operationRow("sale", 1)] });
      equal(
        await read(second, { kind: "operations", ids: ["sale"] }),
        [operationRow("sale", 1)],
        "a commit of the other store",
      );
      await rejects(
        write(second, { operations: [operationRow("fork", 1)] }),
        "a sequence number that the other store has stored",
      );
    } finally {
      await second.close();
    }
  }),

  contractCase("persistence: two stores that open new data at the same time agree", async (subject) => {
    const second = await openSecond(subject);
    try {
      const [one, other] = await Promise.all([subject.store.secret(), second.secret()]);
      equal(other, one, "the secret");
    } finally {
      await second.close();
    }
  }),
];
