/** The page of the browser's torture: the till of the browser tests, which sells without a pause and says what is saved. */
import "../../browser/support/page.ts";
import { saleOf } from "../../support/shop.ts";
import type { TillBooks } from "../books.ts";
import { booksOf, readDatabase } from "../till-books.ts";

/** `early` says that it is saved before it is, and `torn` saves in two transactions: what the torture must notice. */
export type Manner = "sound" | "early" | "torn";

declare global {
  interface Window {
    /** What lies in the browser's database, whoever is at work there. */
    look: () => Promise<TillBooks>;
    sellOn: (manner: Manner) => Promise<never>;
    /** Of the till: what it has said since it was opened, and what it says from now on. */
    tellTrouble: () => void;
    /** Of the harness. */
    saved: (sale: string) => Promise<void>;
    trouble: (event: string) => Promise<void>;
  }
}

/** The name that the page's till has. */
const NAME = "browser-shop";
const UNTRUE_MS = 60;

window.look = async () => booksOf(NAME, await readDatabase(indexedDB, NAME));

window.tellTrouble = () => {
  const { till, events } = window.page;
  for (const kind of ["storage_lost", "identity_forked", "error"] as const) {
    for (const { event } of events) if (event === kind) void window.trouble(event);
    till.on(kind, () => void window.trouble(kind));
  }
};

window.sellOn = async (manner) => {
  const { till } = window.page;
  for (;;) {
    const id = crypto.randomUUID();
    if (manner === "early") {
      void window.saved(id);
      await new Promise((resolve) => setTimeout(resolve, UNTRUE_MS));
    }
    await till.transaction((tx, { now }) => {
      if (manner !== "torn") tx.products.increment("p-1", { stock: -1 });
      const sale = tx.sales.create({ id, ...saleOf(1, now) });
      tx.payments.create({ saleId: id, amountCents: sale.totalCents });
    });
    if (manner === "torn") await till.collections.products.increment("p-1", { stock: -1 });
    if (manner !== "early") void window.saved(id);
  }
};
