/** Draws of one request: the same ones for the same seed and number. */
import { seededRandom } from "../../../src/testing/seeded-random.ts";

export class Dice {
  readonly #unit: () => number;

  constructor(seed: number, number: number) {
    this.#unit = seededRandom(seed ^ Math.imul(number + 1, 0x9e3779b1)).unit;
  }

  /** From 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.#unit() * end);
  }
  happens(share: number): boolean {
    return this.#unit() < share;
  }
  of<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.below(16).toString(16)).join("");
  }
  uuid(): string {
    return `${this.hex(8)}-${this.hex(4)}-7${this.hex(3)}-8${this.hex(3)}-${this.hex(12)}`;
  }
}
