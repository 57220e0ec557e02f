/**
 * The shop's order numbers: "ORD-000123".
 *
 * - Unique: the counter moves in the transaction that stores the sale, and a tenant has one such transaction at a
 *   time.
 * - Without gaps, as long as the database's history holds: a quarantined sale takes no number until it is released.
 * - Never repeated: a database that was restored from a backup has forgotten the numbers that it gave out since, and
 *   they are on receipts. The tills send those sales again with their numbers, in any order, among new sales. To move
 *   the counter past them as they arrive would be too late for the new sales in between. So every history after the
 *   first has its own numbers, "ORD-2-000101". (If one backup is restored twice, call `announceRestore` twice after the
 *   second time, or both histories are number 2.)
 *
 * It costs nothing that all sales of a tenant move one counter: they wait for the tenant's clock row in any case.
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
