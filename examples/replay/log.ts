/** A shop's sales log: from its text to invoices, products and customers. Pure. */
import { parseCsv } from "./csv.ts";

export interface Line {
  readonly stockCode: string;
  readonly description: string;
  /** Negative if goods were returned. */
  readonly quantity: number;
  /** round(100 × UnitPrice), taken from the decimal text. */
  readonly priceMinor: number;
}

export interface Invoice {
  readonly number: string;
  /** Its number begins with C: goods were returned, or a discount was given. */
  readonly isCancellation: boolean;
  readonly customer: string | undefined;
  readonly country: string;
  /** The time of the first line, in epoch ms. */
  readonly soldAt: number;
  readonly lines: readonly Line[];
}

export interface LoggedProduct {
  readonly stockCode: string;
  readonly name: string;
  /** From its first line that has one. */
  readonly priceMinor: number;
  /** In the whole log. */
  readonly unitsSold: number;
}

export interface LoggedCustomer {
  readonly number: string;
  readonly country: string;
}

export interface SalesLog {
  /** In the order of the log. */
  readonly invoices: readonly Invoice[];
  readonly products: readonly LoggedProduct[];
  readonly customers: readonly LoggedCustomer[];
}

const COLUMNS = [
  "InvoiceNo",
  "StockCode",
  "Description",
  "Quantity",
  "InvoiceDate",
  "UnitPrice",
  "CustomerID",
  "Country",
] as const;
type Column = (typeof COLUMNS)[number];

/** @throws LogError if the text is no sales log: what was expected, what was found, and in which line */
export function parseLog(text: string): SalesLog {
  const rows = parseCsv(text);
  const header = rows.next();
  if (header.done) throw new LogError(1, `the columns ${COLUMNS.join(", ")}`, "nothing");
  const fieldOf = columnReader(header.value.fields);

  const invoices = new Map<string, Invoice & { readonly lines: Line[] }>();
  const products = new Map<string, { name: string; priceMinor: number; unitsSold: number }>();
  const customers = new Map<string, string>();
  for (const { line, fields } of rows) {
    const value = (column: Column) => fieldOf(fields, column);
    const number = named(line, "InvoiceNo", value("InvoiceNo"));
    const stockCode = named(line, "StockCode", value("StockCode"));
    const description = value("Description").trim();
    const quantity = integer(line, value("Quantity"));
    const priceMinor = minorUnits(line, value("UnitPrice"));

    const invoice = invoices.get(number) ?? {
      number,
      isCancellation: /^c/i.test(number),
      customer: value("CustomerID").trim() || undefined,
      country: value("Country").trim(),
      soldAt: momentOf(line, value("InvoiceDate")),
      lines: [],
    };
    invoices.set(number, invoice);
    invoice.lines.push({ stockCode, description, quantity, priceMinor });

    const product = products.get(stockCode) ?? { name: "", priceMinor: 0, unitsSold: 0 };
    product.name ||= description;
    product.priceMinor ||= priceMinor;
    product.unitsSold += quantity;
    products.set(stockCode, product);
    if (invoice.customer !== undefined && !customers.has(invoice.customer))
      customers.set(invoice.customer, invoice.country);
  }
  return {
    invoices: [...invoices.values()],
    products: [...products].map(([stockCode, product]) => ({ stockCode, ...product, name: product.name || stockCode })),
    customers: [...customers].map(([number, country]) => ({ number, country })),
  };
}

export class LogError extends Error {
  override name = "LogError";
  constructor(line: number, expected: string, received: string) {
    super(`line ${line}: expected ${expected}, received ${received}`);
  }
}

/** Sum of quantity × price. */
export function totalOf(lines: readonly Pick<Line, "quantity" | "priceMinor">[]): number {
  return lines.reduce((sum, line) => sum + line.quantity * line.priceMinor, 0);
}

export interface Totals {
  readonly invoices: number;
  readonly lines: number;
  readonly revenueMinor: number;
  readonly units: number;
}

/** The sums of the whole log; cancellations count with their sign. */
export function totalsOf({ invoices }: SalesLog): Totals {
  const lines = invoices.flatMap((invoice) => invoice.lines);
  return {
    invoices: invoices.length,
    lines: lines.length,
    revenueMinor: totalOf(lines),
    units: lines.reduce((sum, { quantity }) => sum + quantity, 0),
  };
}

/** Written-off goods are not paid for. */
export function paidFor(totalMinor: number): number {
  return Math.max(0, totalMinor);
}

/**
 * 100 × a decimal text, rounded half away from zero. Computed from its digits: 1.005 is 1.00499999999999989… as a
 * number, and 100 × 1.1 is 110.00000000000001.
 */
export function minorUnits(line: number, text: string): number {
  const match = /^\s*([+-]?)(\d+)(?:\.(\d*))?\s*$/.exec(text);
  if (match === null) throw new LogError(line, "a price like 2.55 in UnitPrice", quoted(text));
  const [, sign = "", whole = "0", fraction = ""] = match;
  const cut = Number(whole + fraction.slice(0, 2).padEnd(2, "0"));
  const minor = cut + (fraction.charAt(2) >= "5" ? 1 : 0);
  if (!Number.isSafeInteger(minor)) throw new LogError(line, "a price of at most 15 digits", quoted(text));
  return sign === "-" && minor !== 0 ? -minor : minor;
}

function columnReader(header: readonly string[]): (fields: readonly string[], column: Column) => string {
  const positions = new Map(header.map((name, position) => [name.trim(), position]));
  const missing = COLUMNS.filter((column) => !positions.has(column));
  if (missing.length > 0) {
    const what = missing.length === 1 ? `the column ${missing[0]}` : `the columns ${missing.join(", ")}`;
    throw new LogError(1, what, quoted(header.join(",")));
  }
  return (fields, column) => fields[positions.get(column) ?? -1] ?? "";
}

function named(line: number, column: Column, value: string): string {
  const name = value.trim();
  if (name === "") throw new LogError(line, `something in ${column}`, "nothing");
  return name;
}

function integer(line: number, text: string): number {
  const value = /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value === 0)
    throw new LogError(line, "a whole number other than 0 in Quantity", quoted(text));
  return value;
}

/** `1/12/2010` or `1/12/2010 8:26`, day first, in UTC; or ISO 8601. */
function momentOf(line: number, text: string): number {
  const match = /^\s*(\d{1,2})\/(\d{1,2})\/(\d{4})(?:\s+(\d{1,2}):(\d{2}))?\s*$/.exec(text);
  if (match === null) {
    const moment = /^\s*\d{4}-/.test(text) ? Date.parse(text.trim()) : Number.NaN;
    if (Number.isNaN(moment)) throw new LogError(line, "a date like 1/12/2010 in InvoiceDate", quoted(text));
    return moment;
  }
  const [day, month, year, hour, minute] = match.slice(1).map((part) => Number(part ?? 0)) as number[];
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
