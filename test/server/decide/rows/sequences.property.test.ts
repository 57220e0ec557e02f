/**
 * What never arrived is counted [M6, M11]: exactly, if the till has named its first number; and never one too many, if it
 * has not.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { noteReceived, register } from "../../../../src/server/decide/rows/devices.ts";
import { asScript } from "../../../../src/server/decide/rows/run.ts";
import { times } from "../../../support/property.ts";
import { ServerWorld } from "../../support/world.ts";

const NOBODY = { name: undefined, os: undefined, appVersion: undefined };

test("the numbers that are missing are those from the first to the last that never arrived", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
      // Numbers below the first one are those of before a fork: they may arrive under either incarnation.
      fc.uniqueArray(fc.integer({ min: 1, max: 25 }), { maxLength: 25 }),
      fc.array(fc.integer({ min: 1, max: 6 })),
      async (first, arriving, sizes) => {
        const world = await ServerWorld.open();
        const session = (incarnation: string) => ({
          catalog: world.catalog,
          principal: { tenant: "shop", scopes: [] },
          device: "d",
          incarnation,
          receivedAt: world.now,
        });
        const enrol = async (incarnation: string, firstSequence?: number) => {
          const decide = (ws: Parameters<typeof register>[0]) =>
            register(ws, session(incarnation), { named: NOBODY, firstSequence });
          return (await world.store.transact("shop", asScript({ decide }))).value;
        };
        await enrol("i-1", first);
        const waiting = [...arriving];
        let lowest: number | undefined;
        for (let turn = 0; waiting.length > 0; turn += 1) {
          const batch = waiting.splice(0, sizes[turn] ?? 3);
          lowest ??= Math.min(...batch);
          const decide = (ws: Parameters<typeof register>[0]) => noteReceived(ws, session("i-1"), batch);
          await world.store.transact("shop", asScript({ decide }));
          // A session begins: the till says the same again.
          await enrol("i-1", first);
        }
        const { unsynced } = await enrol("i-2");
        if (arriving.length === 0) return void expect(unsynced).toEqual([]);
        const lastSequence = Math.max(...arriving);
        const from = first ?? lowest ?? 0;
        const expected = Array.from({ length: 25 }, (_, n) => n + 1).filter(
          (n) => n >= from && n <= lastSequence && !arriving.includes(n),
        );
        expect(unsynced).toEqual([{ incarnation: "i-1", lastSequence, missing: expected.length }]);
      },
    ),
    times(200),
  );
});

test("a till that is wiped after its first sale was sent misses what was made before it", async () => {
  const world = await ServerWorld.open();
  const session = {
    catalog: world.catalog,
    principal: { tenant: "shop", scopes: [] },
    device: "d",
    incarnation: "i-1",
    receivedAt: world.now,
  };
  const { value } = await world.store.transact(
    "shop",
    asScript({
      decide: (ws) => {
        register(ws, session, { named: NOBODY, firstSequence: 1 });
        // The sale's lane goes first: four edits that were made before it still wait.
        noteReceived(ws, session, [5]);
        return register(ws, { ...session, incarnation: "i-2" }, { named: NOBODY, firstSequence: 1 });
      },
    }),
  );
  expect(value.unsynced).toEqual([{ incarnation: "i-1", lastSequence: 5, missing: 4 }]);
});
