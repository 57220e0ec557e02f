import { expect, test } from "vitest";
import { Turns } from "../../../examples/reference-server/auth/turns.ts";

test("so many begin at once, the others in the order in which they came, and no more wait than may", async () => {
  const turns = new Turns({ atOnce: 2, waiting: 2 });
  const begun: number[] = [];
  const taken = [0, 1, 2, 3].map((n) => {
    const turn = turns.take();
    void turn?.begun.then(() => begun.push(n));
    return turn;
  });
  expect(turns.take()).toBeUndefined();
  await Promise.resolve();
  expect(begun).toEqual([0, 1]);
  taken[1]?.end();
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  taken[0]?.end();
  taken[2]?.end();
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2, 3]);
  taken[3]?.end();
  expect([turns.take(), turns.take(), turns.take(), turns.take()].every((turn) => turn !== undefined)).toBe(true);
  expect(turns.take()).toBeUndefined();
});
