/** [H4] [C1] Whatever the counters are, sales are applied; and whatever people do, each step is in the sum once or not at all. */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import { defineCollection } from "../../../../src/schema/define-collection.ts";
import { times } from "../../../support/property.ts";
import { collections, type Shop } from "../../support/shop.ts";
import { count, payment, ServerWorld, sale } from "../../support/world.ts";

const IDS = ["p-1", "p-2"] as const;
const bounds = fc.record({
  maxStep: fc.integer({ min: 1, max: 40 }),
  min: fc.integer({ min: -30, max: 0 }),
  max: fc.nat({ max: 30 }),
});
const step = fc.record({ id: fc.constantFrom(...IDS), by: fc.integer({ min: -45, max: 45 }) });
const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("sell" as const),
      steps: fc.array(step, { maxLength: 4 }),
      device: fc.constantFrom("a", "b"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("step" as const), step, device: fc.constantFrom("a", "b") }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("release" as const, "discard" as const, "again" as const, "void" as const),
      at: fc.nat(),
    }),
  },
);

test("sums stay within their bounds, sales are applied, and each step counts once or waits", async () => {
  const holds = fc.asyncProperty(bounds, fc.array(act, { maxLength: 14 }), async (limits, acts) => {
    const products = defineCollection({
      schema: z.object({ name: z.string(), stock: z.int().default(0) }),
      counters: ["stock"],
      counterBounds: { stock: limits },
    });
    const world = await ServerWorld.open({}, { ...collections, products } as unknown as Shop);
    /** By the id of each step that was sent, and of what took its place. */
    const steps = new Map<string, { readonly id: string; readonly by: number }>();
    const closed = new Set<string>();
    // Each device replaces what the other one has sent.
    const desk = { scopes: ["sync:desk"] };
    const sums = new Map<string, number>();
    let sold = 0;
    for (const one of acts) {
      if (one.kind === "sell") {
        sold += 1;
        const tx = { transaction: `t-${sold}` };
        const [fact, paid, ...moved] = await world
          .till(one.device, desk)
          .push(
            sale(`s-${sold}`, { totalCents: 5 }, tx),
            payment(`y-${sold}`, `s-${sold}`, tx),
            ...one.steps.map(({ id, by }) => count(id, by, tx)),
          );
        const isShort = moved.some(({ status }) => status !== "applied");
        for (const result of [fact, paid]) {
          expect(result?.status).toBe("applied");
          expect(result !== undefined && "flags" in result).toBe(isShort);
        }
        for (const [index, { id }] of moved.entries()) steps.set(id, one.steps[index] ?? { id: "", by: 0 });
      } else if (one.kind === "step") {
        const { id } = await world.till(one.device, desk).send(count(one.step.id, one.step.by));
        steps.set(id, one.step);
      } else {
        const waiting = (await world.quarantined()).map(({ id }) => id);
        const id = waiting[one.at % Math.max(1, waiting.length)];
        const of = steps.get(id ?? "");
        if (id === undefined || of === undefined) continue;
        if (one.kind === "again") {
          const again = await world.till("a", desk).send(count(of.id, of.by, { supersedes: [id] }));
          steps.set(again.id, of);
          closed.add(id);
        } else if (one.kind === "void") {
          const gone = { action: "void", collection: "products", entityId: of.id, supersedes: [id] };
          expect((await world.till("b", desk).send(gone)).status).toBe("applied");
          closed.add(id);
        } else await world[one.kind](id);
        // Nothing but that one has left the desk.
        const left = waiting.filter((other) => other !== id);
        expect((await world.quarantined()).map((row) => row.id)).toEqual(expect.arrayContaining(left));
      }
      sums.clear();
      for (const [id, { id: product, by }] of steps) {
        const stored = await world.operation(id);
        expect(stored?.status).toBe(closed.has(id) ? "rejected" : stored?.status);
        if (stored?.status === "applied") sums.set(product, (sums.get(product) ?? 0) + by);
      }
      for (const id of IDS) {
        const stock = Number((await world.row("products", id))?.counters.stock ?? 0);
        expect(stock).toBe(sums.get(id) ?? 0);
        expect(stock).toBeGreaterThanOrEqual(limits.min);
        expect(stock).toBeLessThanOrEqual(limits.max);
      }
    }
  });
  await fc.assert(holds, times(150));
});
