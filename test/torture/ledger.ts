/** What the tills have promised: written down here when a write is begun, and once more when the till has said that it is saved. */

export interface Receipt {
  readonly till: string;
  readonly kind: "sale" | "refund";
  readonly id: string;
  readonly totalCents: number;
  /** What it does to the stock, by product. */
  readonly moved: ReadonlyMap<string, number>;
}

export interface Edit {
  readonly till: string;
  readonly kind: "edit";
  readonly collection: "products" | "customers";
  readonly id: string;
  readonly field: string;
  /** No other edit has it: it is found again by it. */
  readonly value: string;
}

export class Ledger {
  readonly receipts = new Map<string, Receipt>();
  readonly edits: Edit[] = [];
  readonly #saved = new Set<Receipt | Edit>();

  async promise<T extends Receipt | Edit>(entry: T, write: () => Promise<unknown>): Promise<T> {
    if (entry.kind === "edit") this.edits.push(entry);
    else this.receipts.set(entry.id, entry);
    await write();
    this.#saved.add(entry);
    return entry;
  }

  /**
   * Those whose transaction has resolved by now: from here on they must survive. Of the others both are right, whole or not at all.
   * To be asked for before a store is read, as the tills go on.
   */
  saved(): ReadonlySet<Receipt | Edit> {
    return new Set(this.#saved);
  }
}

/** The operations of a receipt's transaction: itself, the payment of a sale, and a movement for each product. */
export function membersOf({ kind, moved }: Receipt): number {
  return (kind === "sale" ? 2 : 1) + moved.size;
}
