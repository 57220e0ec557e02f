import { expect, test } from "vitest";
import { decideLease } from "../../../src/client/decide/lease.ts";

const NOW = 1_000_000;

test.each([
  ["nobody has it", undefined, true],
  ["it is one's own", { holder: "me", until: NOW + 5_000 }, true],
  ["it has run out", { holder: "other", until: NOW }, true],
  ["another has it", { holder: "other", until: NOW + 1 }, false],
  ["another has just taken it", { holder: "other", until: NOW + 15_000 }, false],
  ["it was written before the clock was set back", { holder: "other", until: NOW + 15_001 }, true],
])("%s", (_, stored, isFree) => {
  expect(decideLease(stored, "me", NOW, 15_000)).toEqual(isFree ? { holder: "me", until: NOW + 15_000 } : undefined);
});
