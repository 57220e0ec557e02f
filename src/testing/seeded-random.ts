/** Randomness that is the same in each run. */
import { type Random, uuidV7 } from "../shared/random.ts";

/** Mulberry32 (T. Ettinger, public domain): small, fast, and the same in every engine. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Returns the same numbers and ids for the same seed, in the same order. Each id sorts after the one before it; ids
 * that a real client makes within one millisecond sort in any order.
 */
export function seededRandom(seed: number): Random {
  const unit = mulberry32(seed);
  let minted = 0;
  return {
    unit,
    uuid() {
      minted += 1;
      return uuidV7(
        1_767_225_600_000 + minted,
        Uint8Array.from({ length: 10 }, () => Math.floor(unit() * 256)),
      );
    },
  };
}
