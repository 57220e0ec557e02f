import { describe, expect, test } from "vitest";
import { uuidV7 } from "../../src/shared/random.ts";

const AT = Date.parse("2026-11-20T08:00:00.000Z");
const bitsOf = (uuid: string) => BigInt(`0x${uuid.replaceAll("-", "")}`);

describe("a UUID of version 7", () => {
  test("has its time, its version and its variant where RFC 9562 puts them", () => {
    expect(uuidV7(AT, new Uint8Array(10).fill(0xff))).toBe("01a1f7f8-3000-7fff-bfff-ffffffffffff");
  });

  test("has 74 random bits, none of which repeats another", () => {
    const base = bitsOf(uuidV7(AT, new Uint8Array(10)));
    const changed = Array.from({ length: 80 }, (_, bit) => {
      const bytes = new Uint8Array(10);
      bytes[bit >> 3] = 1 << (bit & 7);
      return bitsOf(uuidV7(AT, bytes)) ^ base;
    }).filter((difference) => difference !== 0n);
    // Each random bit decides over one bit of the id.
    expect(changed.every((difference) => (difference & (difference - 1n)) === 0n)).toBe(true);
    expect(new Set(changed).size).toBe(74);
  });
});
