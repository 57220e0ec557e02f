/**
 * The tills' collections and the server's own. No till asks for the server's own, and no token may read them. The
 * effects of policies write them, in one transaction with the fact that they count.
 */
import { defineCollection } from "tillsync/schema";
import * as z from "zod";
import { collections } from "./collections.ts";

/** Series of numbers, such as order numbers. */
const sequences = defineCollection({
  schema: z.object({ last: z.int().default(0) }),
  counters: ["last"],
});

/** The amounts paid for a sale and refunded. Its id is that of the sale, which may arrive later. */
const saleBalances = defineCollection({
  schema: z.object({
    paidCents: z.int().default(0),
    refundedCents: z.int().default(0),
    /** A list and not an object, because a line's id may be any word, even one that is not allowed as a key. */
    refunded: z.array(z.object({ lineId: z.string(), quantity: z.int() })).default([]),
  }),
});

export const shopCollections = { ...collections, sequences, saleBalances };
export type Shop = typeof shopCollections;
