/** Compares the log with what the server and every till have stored. Pure. */
import { type Line, paidFor, type SalesLog, totalOf } from "./log.ts";
import { receiptsOf } from "./schedule.ts";

export type SoldLine = Pick<Line, "stockCode" | "quantity" | "priceMinor">;

/** A sale or refund as it was found. */
export interface BookedReceipt {
  readonly id: string;
  readonly kind: "sale" | "refund";
  readonly invoice: string;
  readonly part: number;
  /** Assigned by the server to a sale. */
  readonly orderNumber: string | undefined;
  readonly lines: readonly SoldLine[];
}

export type Rows = Readonly<Record<string, readonly { readonly id: string }[]>>;

export interface ServerBooks {
  readonly receipts: readonly BookedReceipt[];
  readonly payments: readonly { readonly receipt: string; readonly amountMinor: number }[];
  /** The payments on the server, by sale. */
  readonly paid: ReadonlyMap<string, number>;
  /** By stock code. */
  readonly stock: ReadonlyMap<string, number>;
  readonly rows: Rows;
  readonly operations: readonly { readonly id: string; readonly till: string }[];
}

export interface TillBooks {
  readonly name: string;
  readonly rows: Rows;
  /** Receipts whose transaction resolved: promised to the cashier. */
  readonly written: readonly { readonly id: string; readonly invoice: string; readonly part: number }[];
  readonly operations: readonly { readonly id: string; readonly state: string; readonly isFact: boolean }[];
}

export interface Findings {
  readonly invoices: number;
  readonly lines: number;
  readonly revenueMinor: number;
  readonly units: number;
  readonly operations: number;
  /** One sentence for each difference. */
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  readonly diverged: readonly string[];
}

export interface Books {
  readonly server: ServerBooks;
  readonly tills: readonly TillBooks[];
  /** What was in stock before the first sale, by stock code. */
  readonly imported: ReadonlyMap<string, number>;
}

export function compare(log: SalesLog, books: Books): Findings {
  const { server, tills, imported } = books;
  const findings = { lost: [] as string[], duplicated: [] as string[], diverged: [] as string[] };
  compareReceipts(log, server, findings);
  comparePayments(server, findings);
  compareStock(log, server, imported, findings);
  compareOperations(server, tills, findings);
  for (const till of tills) {
    comparePromises(server, till, findings);
    compareViews(server, till, findings);
  }
  const lines = server.receipts.flatMap((receipt) => receipt.lines);
  return {
    invoices: new Set(server.receipts.map(({ invoice }) => invoice)).size,
    lines: lines.length,
    revenueMinor: totalOf(lines),
    units: lines.reduce((sum, { quantity }) => sum + quantity, 0),
    operations: server.operations.length,
    ...findings,
  };
}

interface Told {
  readonly lost: string[];
  readonly duplicated: string[];
  readonly diverged: string[];
}

const keyOf = (invoice: string, part: number) => `${invoice}/${part}`;

function compareReceipts(log: SalesLog, server: ServerBooks, told: Told): void {
  const booked = new Map<string, BookedReceipt[]>();
  for (const receipt of server.receipts) {
    const key = keyOf(receipt.invoice, receipt.part);
    booked.set(key, [...(booked.get(key) ?? []), receipt]);
  }
  for (const expected of log.invoices.flatMap(receiptsOf)) {
    const key = keyOf(expected.invoice.number, expected.part);
    const [found, ...more] = booked.get(key) ?? [];
    booked.delete(key);
    if (found === undefined) {
      told.lost.push(`invoice ${key}: not on the server`);
      continue;
    }
    for (const { id } of more) told.duplicated.push(`invoice ${key}: on the server again as ${id}`);
    const difference = firstDifference(expected.lines.map(textOf), found.lines.map(textOf));
    if (difference !== undefined)
      told.diverged.push(
        `invoice ${key} line ${difference.at + 1}: sold ${difference.expected}, server ${difference.found}`,
      );
  }
  for (const key of booked.keys()) told.duplicated.push(`invoice ${key}: on the server, and not in the log`);
}

function comparePayments(server: ServerBooks, told: Told): void {
  const payments = new Map<string, number[]>();
  for (const { receipt, amountMinor } of server.payments)
    payments.set(receipt, [...(payments.get(receipt) ?? []), amountMinor]);
  const orderNumbers = new Map<string, string>();
  for (const { id, kind, invoice, part, orderNumber, lines } of server.receipts) {
    if (kind === "refund") continue;
    const key = keyOf(invoice, part);
    const amounts = payments.get(id) ?? [];
    payments.delete(id);
    const expected = paidFor(totalOf(lines));
    if (amounts.length === 0) told.lost.push(`invoice ${key}: its payment is not on the server`);
    else if (amounts.length > 1) told.duplicated.push(`invoice ${key}: ${amounts.length} payments`);
    else if (amounts[0] !== expected) told.diverged.push(`invoice ${key}: ${amounts[0]} paid, expected ${expected}`);
    const counted = server.paid.get(id);
    if (counted !== expected) told.diverged.push(`invoice ${key}: the server counted ${counted} paid, not ${expected}`);
    const other = orderNumbers.get(orderNumber ?? "");
    if (other !== undefined) told.duplicated.push(`invoice ${key}: order number ${orderNumber}, as invoice ${other}`);
    orderNumbers.set(orderNumber ?? "", key);
  }
  for (const receipt of payments.keys()) told.diverged.push(`a payment for ${receipt}, which is not on the server`);
}

/** Increments have no rows of their own: this finds one that is missing or was counted twice. */
function compareStock(log: SalesLog, server: ServerBooks, imported: ReadonlyMap<string, number>, told: Told): void {
  const sold = soldUnits(server.receipts.flatMap(({ lines }) => lines));
  for (const { stockCode, unitsSold } of log.products) {
    const units = sold.get(stockCode) ?? 0;
    if (units !== unitsSold) told.diverged.push(`units of ${stockCode}: log ${unitsSold}, server ${units}`);
    const expected = (imported.get(stockCode) ?? 0) - unitsSold;
    const found = server.stock.get(stockCode);
    if (found === undefined) told.lost.push(`product ${stockCode}: not on the server`);
    else if (found !== expected) told.diverged.push(`stock of ${stockCode}: expected ${expected}, server ${found}`);
  }
}

function soldUnits(lines: readonly SoldLine[]): ReadonlyMap<string, number> {
  const sold = new Map<string, number>();
  for (const { stockCode, quantity } of lines) sold.set(stockCode, (sold.get(stockCode) ?? 0) + quantity);
  return sold;
}

/** Every operation of a till is on the server once, and the server has none that no till has. */
function compareOperations(server: ServerBooks, tills: readonly TillBooks[], told: Told): void {
  const onServer = new Map<string, number>();
  for (const { id } of server.operations) onServer.set(id, (onServer.get(id) ?? 0) + 1);
  for (const [id, times] of onServer) {
    if (times > 1) told.duplicated.push(`operation ${id}: ${times} times on the server`);
  }
  const known = new Set<string>();
  for (const { name, operations } of tills) {
    for (const { id, state, isFact } of operations) {
      known.add(id);
      if (state === "pending" || state === "in_flight" || state === "blocked")
        told.lost.push(`${name}: operation ${id} is still ${state}`);
      else if (!onServer.has(id)) told.lost.push(`${name}: operation ${id} is ${state}, and not on the server`);
      else if (isFact && state !== "applied") told.lost.push(`${name}: fact ${id} is ${state}`);
      else if (state === "conflict" || state === "rejected" || state === "quarantined")
        told.diverged.push(`${name}: operation ${id} is ${state}`);
    }
  }
  for (const { id, till } of server.operations) {
    if (!known.has(id)) told.diverged.push(`${till}: operation ${id} is on the server, and no till knows it`);
  }
}

function comparePromises(server: ServerBooks, till: TillBooks, told: Told): void {
  const onServer = new Set(server.receipts.map(({ id }) => id));
  for (const { id, invoice, part } of till.written) {
    if (!onServer.has(id))
      told.lost.push(`${till.name}: invoice ${keyOf(invoice, part)} was saved as ${id}, which the server has not`);
  }
}

function compareViews(server: ServerBooks, till: TillBooks, told: Told): void {
  for (const [collection, rows] of Object.entries(server.rows)) {
    const own = new Map((till.rows[collection] ?? []).map((row) => [row.id, row]));
    for (const row of rows) {
      const view = own.get(row.id);
      own.delete(row.id);
      const difference = view === undefined ? "is not there" : differenceOf(row, view);
      if (difference !== undefined) told.diverged.push(`${till.name}: ${collection} ${row.id} ${difference}`);
    }
    for (const id of own.keys()) told.diverged.push(`${till.name}: ${collection} ${id} is not on the server`);
  }
}

function differenceOf(expected: object, found: object): string | undefined {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  const [before, after] = [expected, found] as Record<string, unknown>[];
  const name = names.find((field) => stable(before?.[field]) !== stable(after?.[field]));
  return name === undefined ? undefined : `${name}: server ${stable(before?.[name])}, till ${stable(after?.[name])}`;
}

/** The same text for the same value, whatever the order of its keys. */
export function stable(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? "nothing"
  );
}

function textOf({ stockCode, quantity, priceMinor }: SoldLine): string {
  return `${quantity} × ${stockCode} at ${priceMinor}`;
}

function firstDifference(
  expected: readonly string[],
  found: readonly string[],
): { at: number; expected: string; found: string } | undefined {
  for (let at = 0; at < Math.max(expected.length, found.length); at += 1) {
    if (expected[at] !== found[at]) return { at, expected: expected[at] ?? "nothing", found: found[at] ?? "nothing" };
  }
  return undefined;
}
