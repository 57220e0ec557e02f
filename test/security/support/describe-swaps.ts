/** Each entry of the table, on whatever store: nothing of the victim's is shown, nothing of it changes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { comparable, distances, type Expected, type Swap, swaps } from "./swaps.ts";
import { type Distance, openWorld, SECRET, type TestStore } from "./world.ts";

interface Case {
  readonly member: string;
  readonly distance: Distance;
  readonly swap: Swap;
  readonly expected: Expected;
}

const cases: readonly Case[] = Object.entries(swaps).flatMap(([member, variants]) =>
  variants.flatMap((swap) =>
    distances.flatMap((distance): Case[] => {
      const expected = swap[distance];
      return expected === undefined ? [] : [{ member, distance, swap, expected }];
    }),
  ),
);

export function describeSwaps(name: string, open: () => Promise<TestStore>): void {
  describe(`a member of a request that is somebody else's, on ${name}`, () => {
    let store: TestStore;
    let run = 0;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());

    test.each(
      cases.map(
        (one) => [`${one.member}${one.swap.as === undefined ? "" : ` (${one.swap.as})`}`, one.distance, one] as const,
      ),
    )("%s, across %s", async (_member, distance, { swap, expected }) => {
      const world = await openWorld(store, distance, `${++run}`);
      const before = await world.victims();
      const value = swap.value(world.victim);
      const answer = await swap.send(world.attacker, value, world.victim);
      const text = await answer.text();
      const body = JSON.parse(text);
      expect({ ...body, status: answer.status, result: body.results?.[0] }).toMatchObject({
        status: expected.status,
        ...expected.body,
        ...(expected.result !== undefined && { result: expected.result }),
      });
      expect(text).not.toContain(SECRET);

      const after = await world.victims();
      for (const [table, rows] of Object.entries(before)) {
        if (table === expected.reaches) continue;
        const now = after[table] ?? [];
        // In a database of its own nothing is written at all; beside it, what was there is there.
        if (distance === "tenants") expect(now, table).toEqual(rows);
        else expect(now, table).toEqual(expect.arrayContaining(rows.filter(isVictims)));
      }

      const other = await openWorld(store, distance, `${++run}`);
      const madeUp = await swap.send(other.attacker, swap.madeUp, other.victim);
      const told = [comparable(text, value), comparable(await madeUp.text(), swap.madeUp)] as const;
      if (expected.tells === true) expect(told[0]).not.toBe(told[1]);
      else expect(told[0]).toBe(told[1]);
    });
  });
}

const isVictims = (row: unknown) => /till-9|till-8|south/.test(JSON.stringify(row));
