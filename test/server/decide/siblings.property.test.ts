/**
 * No half of a sale is in the books [C1]: whatever people and tills do to the members of a transaction in quarantine,
 * those that count are applied all together, or none of them is.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { times } from "../../support/property.ts";
import { count, payment, ServerWorld, type Sketch, sale } from "../support/world.ts";

const PLACES = ["sale", "payment", "step"] as const;
type Place = (typeof PLACES)[number];

/** A sale below zero is kept back by its policy, a payment without an amount by its schema, a strange step by its counter. */
const sketch = (place: Place, good: boolean): Sketch => {
  if (place === "sale") return sale("s-1", { totalCents: good ? 500 : -1 });
  if (place === "payment") return good ? payment("y-1", "s-1") : { ...payment("y-1", "s-1"), data: { saleId: "s-1" } };
  return good ? count("p-1", -1) : { ...count("p-1", -1), by: { strange: -1 } };
};

const place = fc.constantFrom(...PLACES);
interface Correction {
  readonly kind: "correct";
  readonly places: readonly Place[];
  readonly good: boolean;
  /** In one transaction. */
  readonly together: boolean;
  readonly device: "a" | "b";
}
interface Decision {
  readonly kind: "release" | "discard" | "void";
  readonly place: Place;
}
const act: fc.Arbitrary<Correction | Decision> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("correct" as const),
      places: fc.uniqueArray(place, { minLength: 1 }),
      good: fc.boolean(),
      together: fc.boolean(),
      device: fc.constantFrom("a", "b"),
    }),
  },
  fc.record({ kind: fc.constantFrom("release" as const, "discard" as const, "void" as const), place }),
);

test("the members that count are applied together, or not at all", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ sale: fc.boolean(), payment: fc.boolean(), step: fc.boolean() }),
      fc.array(act, { maxLength: 7 }),
      async (first, acts) => {
        const world = await ServerWorld.open({
          sales: {
            scope: "tenant",
            allow: { read: "everyone", create: "everyone" },
            decide: ({ operation }) =>
              (operation as unknown as { data: { totalCents: number } }).data.totalCents < 0
                ? { outcome: "quarantined", code: "arithmetic", message: "below zero" }
                : { outcome: "applied" },
          },
        });
        // Without the desk's scope, one device would replace nothing of the other's.
        const desk = { scopes: ["sync:desk"] };
        const till = world.till("a", desk);
        const made = PLACES.map((one) => till.mint({ ...sketch(one, first[one]), transaction: "t-1" }));
        await till.push(...made);
        const chain = new Map(PLACES.map((one, index) => [one, [made[index]?.id ?? ""]]));
        const voided = new Set<Place>();
        let transactions = 1;

        const statusOf = async (one: Place) => (await world.operation(chain.get(one)?.at(-1) ?? ""))?.status;
        const law = async () => {
          const counting = PLACES.filter((one) => !voided.has(one));
          return new Set(await Promise.all(counting.map(async (one) => (await statusOf(one)) === "applied")));
        };
        expect((await law()).size).toBe(1);

        async function giveUp(at: Place) {
          const { collection, entityId } = sketch(at, true);
          const gone = await till.send({ action: "void", collection, entityId, supersedes: chain.get(at) });
          if (gone.status !== "applied") return;
          voided.add(at);
          chain.get(at)?.push(gone.id);
        }
        async function correct({ places, good, together, device }: Correction) {
          transactions += 1;
          const sender = world.till(device, desk);
          const bound = together ? { transaction: `t-${transactions}` } : {};
          const successors = places.map((at) =>
            sender.mint({ ...sketch(at, good), supersedes: chain.get(at), ...bound }),
          );
          const results = await sender.push(...successors);
          for (const [index, at] of places.entries()) {
            const result = results[index];
            if (result?.status !== "applied" && result?.status !== "quarantined") continue;
            chain.get(at)?.push(result.id);
            voided.delete(at);
          }
        }

        for (const one of acts) {
          if (one.kind === "correct") await correct(one);
          else if (one.kind === "void") await giveUp(one.place);
          else await world[one.kind](chain.get(one.place)?.at(-1) ?? "");
          expect((await law()).size).toBeLessThanOrEqual(1);
        }
      },
    ),
    times(150),
  );
});
