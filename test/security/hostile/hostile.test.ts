import { expect, test } from "vitest";
import { Dice } from "./dice.ts";
import { faults, hostile } from "./hostile.ts";
import { hostileRequest, MEMBERS, type Target } from "./requests.ts";

test("hundreds of hostile requests hurt neither the server nor the till beside them", async () => {
  const outcome = await hostile({ seed: 20_261_120, requests: 600 });
  expect(faults(outcome)).toEqual([]);
  expect(outcome.requests).toBe(600);
  expect(outcome.sales.made).toBeGreaterThan(20);
});

test("the same seed makes the same requests", () => {
  const target: Target = {
    ...{ tokens: ["t"], devices: ["d"], incarnations: ["i"], epoch: "e", marks: new Map() },
  };
  const drawn = (seed: number) => Array.from({ length: 50 }, (_, n) => hostileRequest(new Dice(seed, n), target));
  expect(drawn(7)).toEqual(drawn(7));
  expect(drawn(7)).not.toEqual(drawn(8));
  expect(Object.values(MEMBERS).flat().length).toBeGreaterThan(50);
});
