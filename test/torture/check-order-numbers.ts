/**
 * What must hold of the order numbers at any moment, also after restores: no number twice, and each step of the counter is on
 * a sale. Pure.
 *
 * The counter goes on over a restore, in a new series, so this history has given each step in one series. What there is
 * besides was given by a history that was lost: a till has brought it back with its sale, and the counter does not know of it.
 */
import { groupBy } from "./books.ts";
import type { Findings } from "./findings.ts";

export interface OrderNumbers {
  /** Of every sale. */
  readonly numbers: readonly string[];
  /** What the counter says. */
  readonly last: number;
  /** 1: no history was lost. */
  readonly epochs: number;
}

export function checkOrderNumbers({ numbers, last, epochs }: OrderNumbers, findings: Findings): void {
  for (const [number, own] of groupBy(numbers, (text) => text)) {
    if (own.length > 1) findings.tell("doubled", `server: ${own.length} sales have the order number ${number}`);
  }
  const steps = new Set(numbers.map((text) => Number(/\d+$/.exec(text)?.[0])));
  const missing = Array.from({ length: last }, (_, index) => index + 1).filter((count) => !steps.has(count));
  if (missing.length > 0) findings.tell("half", `server: the order numbers ${missing.join(", ")} are on no sale`);
  if (epochs === 1 && numbers.length > last) {
    findings.tell("half", `server: ${last} order numbers were given to ${numbers.length} sales`);
  }
}
