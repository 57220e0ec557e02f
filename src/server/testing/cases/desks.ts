/** A device's results, and the lists that people work through. */

import type { OperationRow } from "../../ports/rows.ts";
import type { ServerStore } from "../../ports/store.ts";
import { equal } from "../assertions.ts";
import { read, upTo, write } from "../calls.ts";
import { type ContractCase, contractCase } from "../contract-case.ts";
import { conflictRow, discrepancyRow, operationRow, quarantinedRow, resultRow } from "../rows.ts";

const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

function quarantined(store: ServerStore, after = 0, limit = 100): Promise<readonly OperationRow[]> {
  return read(store, { kind: "quarantined", after, limit });
}

export const deskCases: readonly ContractCase[] = [
  contractCase(
    "held: what of one device waits in quarantine: how many operations, how many bytes",
    async ({ store }) => {
      const held = (device: string) => read(store, { kind: "held", device });
      equal(await held("device-1"), { operations: 0, bytes: 0 }, "a device without operations");
      const open = upTo(3).map((n) => quarantinedRow(`open-${n}`, n));
      const bytes = open.reduce((sum, { operation }) => sum + JSON.stringify(operation).length, 0);
      await write(store, { operations: [...open, operationRow("sale", 4)] });
      await write(store, {
        operations: [quarantinedRow("other", 5, { device: "device-2", incarnation: "incarnation-2" })],
      });
      equal(await held("device-1"), { operations: 3, bytes }, "those of the device, and no applied one");
      const [released, superseded, discarded] = open;
      await write(store, {
        operations: [
          operationRow("open-1", 1, { operation: released?.operation, revision: 1 }),
          { ...(superseded as OperationRow), supersededBy: "successor" },
          {
            ...(discarded as OperationRow),
            result: { id: "open-3", status: "quarantined", error: { code: "discarded", message: "" } },
          },
        ],
      });
      equal(await held("device-1"), { operations: 0, bytes: 0 }, "released, superseded, discarded");
      equal((await held("device-2")).operations, 1, "another device");
    },
  ),

  contractCase(
    "results: of one device, ascending by feed position, above `after`, at most `limit` rows",
    async ({ store }) => {
      const mine = [4, 2, 8, 6].map((position) => operationRow(`mine-${position}`, position));
      await write(store, {
        operations: [...mine, operationRow("other", 5, { device: "device-2", incarnation: "incarnation-2" })],
      });
      const request = { kind: "results", device: "device-1" } as const;
      equal(
        ids(await read(store, { ...request, after: 0, limit: 10 })),
        ["mine-2", "mine-4", "mine-6", "mine-8"],
        "all results",
      );
      equal(ids(await read(store, { ...request, after: 2, limit: 2 })), ["mine-4", "mine-6"], "a page");
      equal(
        await read(store, { ...request, after: 7, limit: 10 }),
        [resultRow(operationRow("mine-8", 8))],
        "a result is the whole row without what was sent",
      );
      equal(await read(store, { ...request, after: 8, limit: 10 }), [], "after the last one");
      equal(await read(store, { ...request, device: "device-3", after: 0, limit: 10 }), [], "a device without results");
    },
  ),

  contractCase("results: of one incarnation, or of every incarnation of the device", async ({ store }) => {
    const operations = upTo(30).map((n) => operationRow(`operation-${n}`, n, { incarnation: `incarnation-${n % 3}` }));
    await write(store, { operations });
    const request = { kind: "results", device: "device-1", after: 3, limit: 5 } as const;
    equal(
      (await read(store, request)).map((row) => row.position),
      [4, 5, 6, 7, 8],
      "every incarnation",
    );
    equal(
      (await read(store, { ...request, incarnation: "incarnation-1" })).map((row) => row.position),
      [4, 7, 10, 13, 16],
      "one incarnation",
    );
    equal(await read(store, { ...request, incarnation: "incarnation-9" }), [], "an unknown incarnation");
  }),

  contractCase(
    "results: a revised result moves to its new feed position, and keeps its position",
    async ({ store }) => {
      await write(store, { operations: [quarantinedRow("sale", 1), operationRow("payment", 2)] });
      const released = operationRow("sale", 1, {
        version: 9,
        feedPosition: 9,
        revision: 1,
        result: { id: "sale", status: "applied", version: 9, revision: 1 },
      });
      await write(store, { operations: [released] });
      const request = { kind: "results", device: "device-1", limit: 10 } as const;
      equal(ids(await read(store, { ...request, after: 0 })), ["payment", "sale"], "all results");
      equal(await read(store, { ...request, after: 2 }), [resultRow(released)], "what is new since the mark");
    },
  ),

  contractCase("quarantined: operations that still wait for a person, ascending by position", async ({ store }) => {
    const waiting = upTo(5).map((n) => quarantinedRow(`odd-${n}`, n * 2));
    await write(store, { operations: [...waiting.toReversed(), operationRow("sale", 3)] });
    equal(ids(await quarantined(store)), ["odd-1", "odd-2", "odd-3", "odd-4", "odd-5"], "all of them");
    equal(await quarantined(store, 4, 2), waiting.slice(2, 4), "a page");

    const discarded = quarantinedRow("odd-1", 2, {
      result: { id: "odd-1", status: "quarantined", error: { code: "discarded", message: "A test." } },
    });
    const released = operationRow("odd-2", 4, { revision: 1, feedPosition: 20 });
    const superseded = quarantinedRow("odd-3", 6, { supersededBy: "amended" });
    await write(store, { operations: [discarded, released, superseded] });
    equal(
      ids(await quarantined(store)),
      ["odd-4", "odd-5"],
      "without those that were discarded, released or superseded",
    );
    equal(await read(store, { kind: "operations", ids: ["odd-1"] }), [discarded], "a discarded one keeps its row");
  }),

  contractCase("conflicts: open and settled ones, ascending by position", async ({ store }) => {
    const open = upTo(4).map((n) => conflictRow(`conflict-${n}`, n * 2));
    await write(store, { conflicts: open.toReversed() });
    const request = { kind: "conflictList", state: "open", after: 0, limit: 10 } as const;
    equal(ids(await read(store, request)), ["conflict-1", "conflict-2", "conflict-3", "conflict-4"], "open ones");
    equal(await read(store, { ...request, after: 2, limit: 2 }), open.slice(1, 3), "a page");
    equal(await read(store, { ...request, state: "settled" }), [], "settled ones, before any is");

    const settled = conflictRow("conflict-2", 4, { settled: { choice: "merged", by: "anna", at: 5, note: undefined } });
    await write(store, { conflicts: [settled] });
    equal(
      ids(await read(store, request)),
      ["conflict-1", "conflict-3", "conflict-4"],
      "open ones, after one was settled",
    );
    equal(await read(store, { ...request, state: "settled" }), [settled], "settled ones");
  }),

  contractCase("conflicts: all conflicts of an operation", async ({ store }) => {
    const twins = [conflictRow("first", 1, { operationId: "edit" }), conflictRow("second", 2, { operationId: "edit" })];
    await write(store, { conflicts: [...twins, conflictRow("third", 3)] });
    equal(
      ids(await read(store, { kind: "conflictsOf", operationIds: ["edit"] })).toSorted(),
      ["first", "second"],
      "conflicts of one operation",
    );
    await write(store, { conflicts: [conflictRow("second", 2, { operationId: "another" })] });
    equal(
      ids(await read(store, { kind: "conflictsOf", operationIds: ["edit"] })),
      ["first"],
      "after one was moved to another operation",
    );
  }),

  contractCase("discrepancies: ascending by position", async ({ store }) => {
    const rows = upTo(5).map((n) =>
      discrepancyRow(`discrepancy-${n}`, n, {
        available: n % 2 === 0 ? -1.5 : 0,
        resolution: n === 3 ? "counted" : undefined,
      }),
    );
    await write(store, { discrepancies: rows.toReversed() });
    equal(await read(store, { kind: "discrepancies", after: 0, limit: 10 }), rows, "all of them");
    equal(await read(store, { kind: "discrepancies", after: 2, limit: 2 }), rows.slice(2, 4), "a page");
  }),
];
