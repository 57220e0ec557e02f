/** What must hold of the page's till and of the server that it sells to. Pure. */
import type { TillBooks } from "../books.ts";
import { checkTill } from "../check-till.ts";
import type { Findings } from "../findings.ts";
import { Ledger, type Receipt } from "../ledger.ts";

/** What the server holds, of the one product that is sold. */
export interface Shelf {
  readonly sales: readonly string[];
  /** The sale of each payment. */
  readonly payments: readonly string[];
  readonly stock: number | undefined;
}

/** After a restart, and before any till has looked: what was said to be saved is there, and whatever is there is whole. */
export async function checkPage(books: TillBooks, saved: ReadonlySet<string>, findings: Findings): Promise<void> {
  const ledger = new Ledger();
  const found = [
    ...books.operations.flatMap(({ collection, entityId }) => (collection === "sales" ? [entityId] : [])),
    ...(books.rows.sales ?? []).map(({ id }) => id),
  ];
  for (const id of new Set([...saved, ...found])) {
    const receipt: Receipt = { till: books.name, kind: "sale", id, totalCents: 0, moved: new Map([["p-1", -1]]) };
    if (saved.has(id)) await ledger.promise(receipt, async () => {});
    else ledger.receipts.set(id, receipt);
  }
  checkTill(books, ledger, ledger.saved(), findings);
}

/** When all is quiet. */
export function checkShelf(shelf: Shelf, books: TillBooks, before: number, findings: Findings): void {
  for (const { id, state, collection, entityId } of books.operations) {
    if (state !== "applied") findings.tell("lost", `operation ${id} (${collection} ${entityId}) is ${state}`);
  }
  const made = new Set((books.rows.sales ?? []).map(({ id }) => id));
  const payments = new Map<string, number>();
  for (const sale of shelf.payments) payments.set(sale, (payments.get(sale) ?? 0) + 1);
  const there = new Set(shelf.sales);
  for (const id of made) if (!there.has(id)) findings.tell("lost", `sale ${id} is not on the server`);
  for (const id of there) {
    const times = payments.get(id) ?? 0;
    if (!made.has(id)) findings.tell("doubled", `sale ${id} is on the server, and not in the page`);
    if (times === 0) findings.tell("half", `server: sale ${id} has no payment`);
    if (times > 1) findings.tell("doubled", `server: sale ${id} has ${times} payments`);
  }
  const expected = before - made.size;
  const { stock = Number.POSITIVE_INFINITY } = shelf;
  if (stock > expected) findings.tell("lost", `server: the stock is ${stock}, not ${expected}`);
  if (stock < expected) findings.tell("doubled", `server: the stock is ${stock}, not ${expected}`);
}
