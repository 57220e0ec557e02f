/** The sweep: it removes the rows that a resync did not bring, in bounded steps [H10]. */
import { expect, test } from "vitest";
import type { StorageWrite } from "../../../src/client/ports/storage.ts";
import { sweepStep } from "../../../src/client/scripts/upkeep.ts";
import { type CursorState, cursorKey, FIRST_SYNC_POINT, SYNC } from "../../../src/client/state/meta.ts";
import type { StoredRow } from "../../../src/client/state/rows.ts";
import { META, storageLayout, tableOf } from "../../../src/client/state/tables.ts";
import { checkCollections } from "../../../src/schema/collections.ts";
import { memory } from "../../../src/storage/memory/memory.ts";
import { collections, tea } from "../../support/shop.ts";

const FENCE = 1;
const table = tableOf("products");

/** A store whose products were pulled again completely, in generation 2. `generations`: that of each row, by key. */
async function resynced(generations: readonly number[]) {
  const connection = await memory().open("till", storageLayout(checkCollections(collections)), {
    onFailure() {},
    onSuperseded() {},
  });
  const cursor: CursorState = {
    cursor: "c",
    generation: 2,
    complete: true,
    everComplete: true,
    received: generations.filter((generation) => generation === 2).length,
    sweep: "",
  };
  const rows = generations.map((generation, n): StoredRow => {
    return { id: `p-${1_000 + n}`, data: tea, version: 5, generation, rev: 1 };
  });
  await connection.transact({ tables: [META, table], durability: "strict", label: "test" }, function* () {
    const writes: StorageWrite[] = [
      {
        kind: "put",
        table: META,
        key: SYNC,
        value: { ...FIRST_SYNC_POINT, fence: FENCE, generations: { products: 2 } },
      },
      { kind: "put", table: META, key: cursorKey("products"), value: cursor },
      ...rows.map((row): StorageWrite => ({ kind: "put", table, key: row.id, value: row })),
    ];
    return { value: undefined, writes };
  });
  const sweep = () =>
    connection.transact({ tables: [META, table], durability: "relaxed", label: "sweep" }, () =>
      sweepStep("products", FENCE),
    );
  return { connection, sweep };
}

test("a stale row is removed, however many current rows come before it", async () => {
  const { connection, sweep } = await resynced([...Array<number>(700).fill(2), 1]);
  let steps = 1;
  for (; (await sweep()).more; steps += 1) expect(steps).toBeLessThan(10);
  expect(await connection.count(table, {})).toBe(700);
  expect(steps).toBe(2);
});
