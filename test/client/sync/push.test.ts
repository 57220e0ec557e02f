/** The push lane: when what is blocked is sent again, and what is shown as on its way. */
import { expect, test } from "vitest";
import type { Transport } from "../../../src/client/ports/transport.ts";
import type { OperationResult } from "../../../src/protocol/types.ts";
import { memory } from "../../../src/storage/memory/memory.ts";
import { saleOf } from "../../support/shop.ts";
import { ClientWorld } from "../support/world.ts";

const DAY = 24 * 60 * 60 * 1_000;

test("what is blocked is sent again within minutes, although a person sets the clock back by a day [H2]", async () => {
  await using world = new ClientWorld();
  const transport = world.transport();
  let isBlocking = true;
  const blocking: Transport = {
    ...transport,
    async push(request, call) {
      if (!isBlocking) return transport.push(request, call);
      const answer = await transport.push({ ...request, operations: [] }, call);
      if (!answer.ok) return answer;
      const results = request.operations.map(({ id }): OperationResult => ({ id, status: "blocked", by: [] }));
      return { ...answer, value: { ...answer.value, results } };
    },
  };
  const till = await world.open({ transport: blocking });
  await till.collections.sales.create(saleOf(1, 1));
  await world.clock.advance(90_000);
  expect((await till.operations.list()).map(({ status }) => status.state)).toEqual(["blocked"]);
  world.clock.setWallClock(world.clock.now() - DAY);
  isBlocking = false;
  await world.clock.advance(180_000);
  expect(till.status.pending.count).toBe(0);
});

test("nothing is shown as in flight after its answer could not be stored, during the wait for the retry", async () => {
  await using world = new ClientWorld();
  let isFailing = false;
  let failures = 0;
  const storage = memory({
    faults: {
      before({ kind, label }) {
        if (!isFailing || kind !== "commit" || label !== "answer") return;
        failures += 1;
        throw new Error("the disk");
      },
    },
  });
  const till = await world.open({ storage });
  isFailing = true;
  await till.collections.sales.create(saleOf(1, 1));
  for (let n = 0; failures === 0 && n < 100; n += 1) await world.clock.advance(10);
  expect(failures).toBe(1);
  expect((await till.operations.list()).map(({ status }) => status.state)).toEqual(["pending"]);
});
