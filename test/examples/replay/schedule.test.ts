import { expect, test } from "vitest";
import { parseLog } from "../../../examples/replay/log.ts";
import {
  LINES_PER_RECEIPT,
  makeSchedule,
  NETWORK_FAULTS,
  receiptsOf,
  type Schedule,
  type Step,
} from "../../../examples/replay/schedule.ts";
import { syntheticLog } from "./support.ts";

const log = parseLog(syntheticLog(120));
const schedule = (seed: number, faults = true) => makeSchedule(log, { tills: 3, seed, faults });
const plain = ({ steps, serverCrashes }: Schedule) => ({ steps, serverCrashes });
const first = (schedule: Schedule, till: number, count: number) => {
  const next = schedule.networkFaults(till);
  return Array.from({ length: count }, next);
};

test("the same seed gives the same schedule, another one another", () => {
  expect(plain(schedule(7))).toEqual(plain(schedule(7)));
  expect(first(schedule(7), 1, 200)).toEqual(first(schedule(7), 1, 200));
  expect(plain(schedule(7))).not.toEqual(plain(schedule(8)));
  expect(first(schedule(7), 1, 200)).not.toEqual(first(schedule(7), 2, 200));
});

test("every line of every invoice is sold once, by one till", () => {
  const sold = schedule(7).steps.map((steps) => steps.flatMap((step) => (step.kind === "sell" ? [step.receipt] : [])));
  const key = ({ invoice, part }: { invoice: { number: string }; part: number }) => `${invoice.number}/${part}`;
  expect(sold.flat().map(key).sort()).toEqual(log.invoices.flatMap(receiptsOf).map(key).sort());
  expect(sold.flat().flatMap(({ lines }) => lines)).toHaveLength(log.invoices.flatMap(({ lines }) => lines).length);
  for (const receipts of sold) expect(receipts.length).toBeGreaterThan(0);
});

test("goods that came back are a refund, and a long invoice has several receipts", () => {
  const line = { stockCode: "A", description: "", quantity: 1, priceMinor: 100 };
  const lines = [{ ...line, quantity: -2 }, ...Array.from({ length: LINES_PER_RECEIPT + 1 }, () => line)];
  const invoice = { number: "1", isCancellation: false, customer: undefined, country: "", soldAt: 0, lines };
  expect(receiptsOf(invoice).map(({ kind, part, lines }) => [kind, part, lines.length])).toEqual([
    ["sale", 1, LINES_PER_RECEIPT],
    ["sale", 2, 1],
    ["refund", 3, 1],
  ]);
});

test("each till is offline now and then, and online in the end", () => {
  const turns = (steps: readonly Step[]) =>
    steps.map(({ kind }) => kind).filter((kind) => kind === "offline" || kind === "online");
  for (const steps of schedule(7).steps) {
    const found = turns(steps);
    expect(found.length).toBeGreaterThanOrEqual(2);
    expect(found).toEqual(found.map((_, index) => (index % 2 === 0 ? "offline" : "online")));
    expect(found.at(-1)).toBe("online");
  }
});

test("all kinds of faults come up, whatever the seed", () => {
  for (let seed = 0; seed < 50; seed += 1) {
    expect(new Set(first(schedule(seed), 0, 150))).toEqual(new Set([undefined, ...NETWORK_FAULTS]));
    expect(schedule(seed).serverCrashes.length).toBeGreaterThan(0);
    expect(
      schedule(seed)
        .steps.flat()
        .some(({ kind }) => kind === "crash"),
    ).toBe(true);
  }
});

test("without --faults there are outages and nothing else", () => {
  const calm = schedule(7, false);
  expect(calm.serverCrashes).toEqual([]);
  expect(new Set(first(calm, 0, 100))).toEqual(new Set([undefined]));
  expect(calm.steps.flat().some(({ kind }) => kind === "crash")).toBe(false);
  expect(calm.steps.flat().some(({ kind }) => kind === "offline")).toBe(true);
});
