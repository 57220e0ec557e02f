/** What became of a sale or a refund, in words. */
import type { Flag, RecordMeta } from "tillsync";
import type { Tone } from "./status-words.ts";

export interface SaleState {
  readonly tone: Tone;
  readonly label: string;
  readonly detail: string;
  /** For the customer, who leaves before the sale has an order number. */
  readonly onReceipt: string;
}

/**
 * The number under which a sale is listed. The customer has the till's own number on paper, so it never changes; the
 * server's order number is shown beside it when it has arrived. A sale that was made elsewhere may have only that one.
 */
export function saleNumber(sale: {
  readonly receiptNumber?: string | undefined;
  readonly orderNumber?: string | undefined;
}) {
  return sale.receiptNumber ?? sale.orderNumber ?? "Sale";
}

/** The server assigns `orderNumber`: a sale that has one is on the server. */
export function saleState(meta: Pick<RecordMeta, "sync" | "flags"> | undefined): SaleState {
  const isWaiting = meta === undefined || meta.sync === "pending" || meta.sync === "blocked";
  return {
    ...stateOf(meta),
    onReceipt: isWaiting ? "Recorded at the till, not on the server yet" : "Recorded at the till",
  };
}

function stateOf(meta: Pick<RecordMeta, "sync" | "flags"> | undefined): Omit<SaleState, "onReceipt"> {
  switch (meta?.sync) {
    case undefined:
    case "pending":
      return {
        tone: "waiting",
        label: "On this till only",
        detail: "Kept on this till, and sent as soon as it can be.",
      };
    case "blocked":
      return { tone: "waiting", label: "On this till only", detail: "The server has asked to send it a little later." };
    case "synced":
      return meta.flags.length > 0
        ? { tone: "alert", label: "On the server, marked", detail: "It counts. The office may want to look at it." }
        : { tone: "good", label: "On the server", detail: "It has arrived, and counts." };
    case "quarantined":
      return {
        tone: "alert",
        label: "Set aside",
        detail: "The server has it, and the office decides about it. Nothing is lost.",
      };
    case "rejected":
      return { tone: "alert", label: "Refused", detail: "The server has refused it. Call the office." };
    case "conflict":
      return { tone: "alert", label: "In conflict", detail: "Somebody has changed the same record. A person decides." };
  }
}

/** A map: a code may be any text, `constructor` too. */
const FLAGS = new Map(
  Object.entries({
    stock_discrepancy: "More was sold than the books had in stock.",
    unknown_product: "A product that the server does not know.",
    unknown_customer: "A customer that the server does not know.",
    unresolved_reference: "It names a record that the server does not have.",
    arithmetic: "The amounts do not add up.",
    overpaid: "More was paid than the sale comes to.",
    over_refund: "More was given back than was sold.",
    without_sale: "A refund without a sale.",
    unknown_sale: "The sale has not reached the server yet.",
    late_arrival: "It came after its shift was closed.",
    clock_ahead: "This till's clock is ahead of the server's.",
    out_of_scope: "It touches a record of another branch.",
    counter_out_of_range: "A step of a count was left out: there was no room for it.",
    overtaken: "It was sent again after the server was restored, and a later change stands.",
  }),
);

export function flagWords({ code, message }: Pick<Flag, "code" | "message">): string {
  return FLAGS.get(code) ?? message ?? code;
}
