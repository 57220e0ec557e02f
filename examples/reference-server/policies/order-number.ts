/**
 * The shop's order numbers: "ORD-000123".
 *
 * - Unique: the counter moves in the transaction that stores the sale, and a tenant has one such transaction at a time.
 * - Without gaps, as long as the database's history holds: a sale that is set aside takes no number until it is let in.
 * - Never met again: a database that was put back from a backup has forgotten the numbers it gave out since, and they are on receipts.
 *   The tills bring those sales back with their numbers, in any order, among new sales. Moving the counter past them as they come
 *   would be too late for the new ones in between; so every history after the first has numbers of its own, "ORD-2-000101".
 *
 * That all sales of a tenant move one counter costs nothing here: they wait for the tenant's clock row in any case.
 */
import type { Effect } from "tillsync/server";
import type { Shop } from "../server-collections.ts";

export const ORDERS = "orders";

export interface OrderNumber {
  readonly orderNumber: string;
  readonly effects: readonly Effect<Shop>[];
}

export function nextOrderNumber(sequence: { readonly last: number } | undefined, epoch: number): OrderNumber {
  const digits = String((sequence?.last ?? 0) + 1).padStart(6, "0");
  return {
    orderNumber: epoch === 1 ? `ORD-${digits}` : `ORD-${epoch}-${digits}`,
    effects: [
      ...(sequence === undefined ? [{ collection: "sequences", id: ORDERS, create: {} } as const] : []),
      { collection: "sequences", id: ORDERS, increment: { last: 1 } },
    ],
  };
}
