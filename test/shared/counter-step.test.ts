import { describe, expect, it } from "vitest";
import { isCounterStep } from "../../src/shared/counter-step.ts";

describe("isCounterStep", () => {
  it("takes safe integers and decimal strings of 15 + 9 digits", () => {
    for (const step of [0, -5, "0", "-12.50", "9".repeat(15), `0.${"1".repeat(9)}`])
      expect(isCounterStep(step)).toBe(true);
    for (const step of [
      0.5,
      2 ** 53,
      Number.NaN,
      "1e3",
      "",
      "9".repeat(16),
      `0.${"1".repeat(10)}`,
      null,
      undefined,
      [1],
      1n,
    ]) {
      expect(isCounterStep(step)).toBe(false);
    }
  });
});
