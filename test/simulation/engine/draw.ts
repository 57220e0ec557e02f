/** Draws from a seed. Each purpose has a stream of its own, so that one more draw here changes nothing there. */

export class Draw {
  /** Its seed. */
  readonly of: number;
  #state: number;

  constructor(seed: number, purpose = "") {
    this.of = seed;
    let mixed = seed ^ 0x9e3779b9;
    for (let at = 0; at < purpose.length; at++)
      mixed = Math.imul(mixed ^ purpose.charCodeAt(at), 0x5bd1e995) ^ (mixed >>> 13);
    this.#state = mixed | 0;
    this.unit(); // neighbouring seeds begin alike
  }

  /** Uniform in [0, 1): Mulberry32. */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `least` to `most`, both in it. */
  int(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.unit() * all.length)] as T;
  }

  /** One of them, by its weight. */
  weighted<T extends { readonly weight: number }>(all: readonly T[]): T {
    let left = this.unit() * all.reduce((sum, { weight }) => sum + weight, 0);
    for (const one of all) {
      left -= one.weight;
      if (left < 0) return one;
    }
    return all.at(-1) as T;
  }

  seed(): number {
    return Math.floor(this.unit() * 2 ** 31);
  }
}
