/** A store that fails and recovers: afterwards everything works again, and nothing is left open. */
import { expect, test } from "vitest";
import type { StorageAdapter, StorageHooks } from "../../src/client/ports/storage.ts";
import { type MemoryAdapter, memory } from "../../src/storage/memory/memory.ts";
import { saleOf } from "../support/shop.ts";
import { ClientWorld } from "./support/world.ts";

test("a till whose store has healed is no longer shown as failed once it stores again", async () => {
  await using world = new ClientWorld();
  const inner = memory();
  let hooks: StorageHooks | undefined;
  const storage: MemoryAdapter = {
    ...inner,
    open(name, layout, given) {
      hooks = given;
      return inner.open(name, layout, given);
    },
  };
  const till = await world.open({ storage });
  hooks?.onFailure(new Error("gone for a moment"));
  expect(till.status.phase).toBe("failed");
  await till.collections.sales.create(saleOf(1, 1));
  expect(till.status.phase).not.toBe("failed");
});

test("an opening that fails after the store was opened closes it again", async () => {
  await using world = new ClientWorld();
  const inner = memory();
  let open = 0;
  let isFull = true;
  const storage: StorageAdapter = {
    ...inner,
    async open(name, layout, hooks) {
      const connection = await inner.open(name, layout, hooks);
      open += 1;
      return {
        ...connection,
        get: connection.get.bind(connection),
        scan: connection.scan.bind(connection),
        count: connection.count.bind(connection),
        destroy: connection.destroy.bind(connection),
        estimate: connection.estimate.bind(connection),
        transact: (options, script) =>
          isFull ? Promise.reject(new Error("no space")) : connection.transact(options, script),
        async close() {
          open -= 1;
          await connection.close();
        },
      };
    },
  };
  const till = world.till({ storage: storage as MemoryAdapter });
  for (let starts = 0; starts < 3; starts++) await expect(till.start()).rejects.toThrow("no space");
  expect(open).toBe(0);
  isFull = false;
  await till.start();
  expect(open).toBe(1);
  await till.close();
  expect(open).toBe(0);
});
