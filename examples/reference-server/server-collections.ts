/**
 * The tills' collections and the server's own, which no till asks for and no token may read. They are written by the effects of
 * policies: in one transaction with the fact that they count.
 */
import { defineCollection } from "tillsync/schema";
import * as z from "zod";
import { collections } from "./collections.ts";

/** Series of numbers, such as that of the orders. */
const sequences = defineCollection({
  schema: z.object({ last: z.int().default(0) }),
  counters: ["last"],
});

/** What has been paid for a sale and given back of it. Its id is the sale's, which may arrive later. */
const saleBalances = defineCollection({
  schema: z.object({
    paidCents: z.int().default(0),
    refundedCents: z.int().default(0),
    /** A list, as a line's id may be any word: also one that no object takes for a key. */
    refunded: z.array(z.object({ lineId: z.string(), quantity: z.int() })).default([]),
  }),
});

export const shopCollections = { ...collections, sequences, saleBalances };
export type Shop = typeof shopCollections;
