import { expect, test } from "vitest";
import { chainWith, isCut } from "../../src/protocol/chain.ts";
import { LIMITS } from "../../src/protocol/constants.ts";

/** The chain of the operation that was made anew so many times. */
function chainAfter(times: number): readonly string[] {
  let chain: readonly string[] = [];
  for (let n = 0; n < times; n += 1) chain = chainWith(chain, `o-${n}`);
  return chain;
}

test("a chain names all that it replaces, oldest first", () => {
  expect(chainAfter(3)).toEqual(["o-0", "o-1", "o-2"]);
  expect(isCut(chainAfter(3))).toBe(false);
});

test("a chain of 250 is whole, and counts as cut, because it may be", () => {
  expect(chainAfter(250)).toEqual(Array.from({ length: 250 }, (_, n) => `o-${n}`));
  expect(isCut(chainAfter(249))).toBe(false);
  expect(isCut(chainAfter(250))).toBe(true);
});

test("a longer one keeps the first and the newest, as many as an operation may name", () => {
  const chain = chainAfter(1_000);
  expect(chain).toHaveLength(LIMITS.transactionOperations);
  expect(chain.slice(0, 2)).toEqual(["o-0", "o-751"]);
  expect(chain.at(-1)).toBe("o-999");
});

test("one that is too long already, which an older till stored, is brought to what may be sent", () => {
  const stored = Array.from({ length: 400 }, (_, n) => `o-${n}`);
  const chain = chainWith(stored, "o-400");
  expect(chain).toHaveLength(LIMITS.transactionOperations);
  expect([chain[0], chain.at(-1)]).toEqual(["o-0", "o-400"]);
});
