/**
 * Who sells what, when tills are offline, and what goes wrong: all of it drawn from one seed. Pure.
 *
 * The same seed gives the same schedule. Real processes and sockets behave differently in each run: which requests are
 * under way when a fault is due depends on the machine.
 */
import { seededRandom } from "tillsync/testing";
import type { Invoice, Line, SalesLog } from "./log.ts";

/**
 * As many lines as fit in one transaction of a till (250 operations), with the sale and its payment, and room to spare.
 */
export const LINES_PER_RECEIPT = 200;

/**
 * What a till writes in one transaction: an invoice, or a part of one that is too long for it, or that contains
 * returned goods.
 */
export interface Receipt {
  readonly kind: "sale" | "refund";
  readonly invoice: Invoice;
  /** From 1. */
  readonly part: number;
  readonly lines: readonly Line[];
}

/** Changes of master data between the sales: they conflict with those of other tills, and change no total. */
export type Edit =
  | { readonly of: "product"; readonly row: number; readonly field: "name" | "price"; readonly value: number }
  | { readonly of: "customer"; readonly row: number; readonly field: "phone" | "note"; readonly value: number };

/** Where a till's process is when it is killed: idle, or just before or after a commit. */
export const CRASH_POINTS = ["idle", "before_sale", "after_sale", "before_answer", "after_answer"] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

export type Step =
  | { readonly kind: "sell"; readonly receipt: Receipt; readonly waitMs: number }
  | { readonly kind: "edit"; readonly edit: Edit }
  | { readonly kind: "offline" }
  | { readonly kind: "online" }
  | { readonly kind: "crash"; readonly at: CrashPoint };

/** What a network does to a request of a till. */
export const NETWORK_FAULTS = [
  "request_lost",
  "request_cut",
  "request_late",
  "request_twice",
  "request_again_later",
  "answer_lost",
  "answer_cut",
  "answer_late",
  "answer_of_another",
  "answer_never",
  "server_error",
  "server_error_afterwards",
  "throttled",
  "captive_portal",
] as const;
export type NetworkFault = (typeof NETWORK_FAULTS)[number];

export interface ServerCrash {
  /** The share of receipts after which it happens. */
  readonly at: number;
  /** How long after the next push has reached it. */
  readonly afterMs: number;
  /** Until it is started again. */
  readonly downMs: number;
}

export interface Schedule {
  /** Per till, in its order. */
  readonly steps: readonly (readonly Step[])[];
  readonly serverCrashes: readonly ServerCrash[];
  readonly receipts: number;
  /** Endless: what happens to a till's next request. */
  networkFaults(till: number): () => NetworkFault | undefined;
  /** Endless: whether a person at the till keeps their own side of the next conflict. */
  choices(till: number): () => boolean;
}

export interface ScheduleOptions {
  readonly tills: number;
  readonly seed: number;
  readonly faults: boolean;
}

/** How long the selling takes, approximately: short enough to wait for, long enough for outages. */
const SELLING_MS = 12_000;
const LONGEST_WAIT_MS = 250;
/** The share of requests that are disturbed. */
const FAULTY_REQUESTS = 0.3;
/** Few, so that tills edit the same ones. */
const EDITED_ROWS = 6;
const EDITS_PER_SALE = 0.5;

export function makeSchedule(log: SalesLog, { tills, seed, faults }: ScheduleOptions): Schedule {
  const draw = draws(seed);
  const dealt: Receipt[][] = Array.from({ length: tills }, () => []);
  for (const invoice of log.invoices) dealt[draw.below(tills)]?.push(...receiptsOf(invoice));
  const receipts = dealt.reduce((sum, { length }) => sum + length, 0);
  const waitMs = Math.min(LONGEST_WAIT_MS, SELLING_MS / Math.max(1, receipts / tills));
  const steps = dealt.map((own) => stepsOf(own, { draw, faults, waitMs, log }));
  return {
    steps,
    receipts,
    serverCrashes: faults ? serverCrashes(draw, receipts) : [],
    choices(till) {
      const draw = draws(seed * 2_003 + till + 1);
      return () => draw.chance(0.5);
    },
    networkFaults: (till) => (faults ? networkFaults(draws(seed * 1_009 + till + 1)) : () => undefined),
  };
}

export function receiptsOf(invoice: Invoice): readonly Receipt[] {
  const receipts: Receipt[] = [];
  const add = (kind: Receipt["kind"], lines: readonly Line[]) => {
    for (let from = 0; from < lines.length; from += LINES_PER_RECEIPT)
      receipts.push({ kind, invoice, part: receipts.length + 1, lines: lines.slice(from, from + LINES_PER_RECEIPT) });
  };
  add(
    "sale",
    invoice.lines.filter(({ quantity }) => quantity > 0),
  );
  add(
    "refund",
    invoice.lines.filter(({ quantity }) => quantity < 0),
  );
  return receipts;
}

function stepsOf(
  receipts: readonly Receipt[],
  { draw, faults, waitMs, log }: { draw: Draws; faults: boolean; waitMs: number; log: SalesLog },
): readonly Step[] {
  const steps: Step[] = [];
  let offline = false;
  let untilTurn = draw.between(2, 8);
  let untilCrash = draw.between(3, 12);
  for (const receipt of receipts) {
    if (untilTurn-- === 0) {
      offline = !offline;
      steps.push({ kind: offline ? "offline" : "online" });
      untilTurn = draw.between(3, 10);
    }
    if (faults && untilCrash-- === 0) {
      steps.push({ kind: "crash", at: draw.oneOf(CRASH_POINTS) });
      untilCrash = draw.between(8, 20);
    }
    if (draw.chance(EDITS_PER_SALE)) steps.push({ kind: "edit", edit: drawEdit(draw, log) });
    steps.push({ kind: "sell", receipt, waitMs: Math.round(draw.unit() * 2 * waitMs) });
  }
  if (offline) steps.push({ kind: "online" });
  return steps;
}

function drawEdit(draw: Draws, log: SalesLog): Edit {
  const value = draw.between(1, 9_999);
  if (log.customers.length > 0 && draw.chance(0.4)) {
    const row = draw.below(Math.min(EDITED_ROWS, log.customers.length));
    return { of: "customer", row, field: draw.oneOf(["phone", "note"] as const), value };
  }
  const row = draw.below(Math.min(EDITED_ROWS, log.products.length));
  return { of: "product", row, field: draw.oneOf(["name", "price"] as const), value };
}

function serverCrashes(draw: Draws, receipts: number): readonly ServerCrash[] {
  const count = receipts >= 20 ? 3 : 1;
  return Array.from({ length: count }, (_, index) => ({
    at: (index + 0.2 + 0.6 * draw.unit()) / count,
    afterMs: draw.below(12),
    downMs: draw.below(400),
  }));
}

/** Draws from a deck that has each kind once, so every seed uses all kinds. */
export function networkFaults(draw: Draws): () => NetworkFault | undefined {
  let deck: NetworkFault[] = [];
  return () => {
    if (!draw.chance(FAULTY_REQUESTS)) return undefined;
    if (deck.length === 0) deck = draw.shuffled(NETWORK_FAULTS);
    return deck.pop();
  };
}

export interface Draws {
  /** In [0, 1). */
  unit(): number;
  /** A whole number in [0, end); 0 if there is none. */
  below(end: number): number;
  /** Both included. */
  between(from: number, to: number): number;
  chance(share: number): boolean;
  oneOf<T>(items: readonly T[]): T;
  shuffled<T>(items: readonly T[]): T[];
}

export function draws(seed: number): Draws {
  const { unit } = seededRandom(seed);
  const below = (end: number) => Math.floor(unit() * end);
  return {
    unit,
    below,
    between: (from, to) => from + below(to - from + 1),
    chance: (share) => unit() < share,
    oneOf: (items) => items[below(items.length)] as (typeof items)[number],
    shuffled(items) {
      const result = [...items];
      for (let end = result.length; end > 1; end -= 1) {
        const at = below(end);
        [result[end - 1], result[at]] = [result[at], result[end - 1]] as [(typeof result)[0], (typeof result)[0]];
      }
      return result;
    },
  };
}
