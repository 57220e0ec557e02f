/**
 * What the tills of a shop and its server both know: one definition per kind of record. It imports nothing of the
 * server, so a page may import it.
 *
 * - Money is an integer in the currency's minor unit (`…Cents`), a tax rate an integer in basis points (1,950 is 19.5
 *   %), a quantity an integer in the product's own unit (`piece`, `g`). A time is epoch ms by the till's clock.
 * - What has happened is a fact: sales, payments, refunds, stock movements, purchases, shift events. A correction is
 *   another fact.
 * - A line has its own copy of name, price, tax and discount. Later changes to the product do not change the receipt.
 * - Stock moves by `increment`, in the same transaction as the fact that is the reason.
 */
import { manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import * as z from "zod";

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const label = z.string().trim().min(1).max(200);
const cents = z.int();
const price = z.int().nonnegative();
const basisPoints = z.int().nonnegative().max(10_000);
const quantity = z.int().positive();
/** The latest moment that a `Date` can hold (ECMAScript, "Time Values"). */
const LAST_MOMENT = 8.64e15;
const moment = z.int().nonnegative().max(LAST_MOMENT);
/** ISO 4217. */
const currency = z.string().regex(/^[A-Z]{3}$/);
const note = z.string().max(1_000).optional();

const products = defineCollection({
  schema: z.object({
    sku: z.string().max(64),
    barcodes: z.array(z.string().min(1).max(64)).max(20).default([]),
    name: label,
    categoryId: id.optional(),
    unit: z.string().max(16).default("piece"),
    priceCents: price,
    taxRate: basisPoints.default(0),
    taxIncluded: z.boolean().default(true),
    /** A product is archived and not deleted, because receipts still name it. Text, because it is indexed. */
    status: z.enum(["active", "archived"]).default("active"),
    stock: z.int().default(0),
  }),
  indexes: {
    sku: "sku",
    barcode: "barcodes",
    name: "name",
    category: ["categoryId", "name"],
    status: ["status", "name"],
  },
  search: ["name", "sku"],
  counters: ["stock"],
  // In the product's own unit: ten tonnes in grams at once, and a thousand tonnes of it. No shop has more, or lacks more.
  counterBounds: { stock: { maxStep: 10_000_000, min: -1_000_000_000, max: 1_000_000_000 } },
  references: { categoryId: "categories" },
});

const categories = defineCollection({
  schema: z.object({ name: label, parentId: id.optional(), position: z.int().default(0) }),
  indexes: ["position"],
  references: { parentId: "categories" },
});

/** Edited by people at several tills: if two of them change the same field, a person decides. */
const customers = defineCollection({
  schema: z.object({
    name: label,
    phone: z.string().max(32).nullable().default(null),
    email: z.string().max(254).nullable().default(null),
    taxId: z.string().max(32).nullable().default(null),
    note,
    points: z.int().default(0),
  }),
  indexes: ["name", "phone"],
  search: ["name"],
  counters: ["points"],
  // A million points are a sale of ten million.
  counterBounds: { points: { maxStep: 1_000_000, min: -100_000_000, max: 100_000_000 } },
  conflict: manual(),
});

const line = z.object({
  lineId: id,
  productId: id,
  name: label,
  sku: z.string().max(64).default(""),
  quantity,
  /** The agreed price, before the discount. */
  unitPriceCents: price,
  discountCents: price.default(0),
  discountReason: z.string().max(200).optional(),
  taxRate: basisPoints.default(0),
  taxCents: price.default(0),
  /** Whether the price includes the tax. */
  taxIncluded: z.boolean().default(true),
});

/** Each fact names its branch: tills of other branches never see it. */
const place = { branchId: id, shiftId: id.optional(), cashierId: id.optional() };

const sales = defineCollection({
  kind: "fact",
  schema: z
    .object({
      ...place,
      customerId: id.optional(),
      /** The till's own number, printed at once. No two tills share a prefix. */
      receiptNumber: z.string().max(64).optional(),
      currency: currency.default("EUR"),
      items: z.array(line).min(1).max(500),
      /** The discount on the whole sale, in addition to those of the lines. */
      discountCents: price.default(0),
      /** The amount that rounding to coins added or removed. */
      roundingCents: cents.default(0),
      totalCents: cents,
      soldAt: moment,
      /** The day of the sale in the shop's books. After midnight it may still be the day before. */
      businessDate: z.iso.date().optional(),
      note,
      /** The shop's number, assigned when the sale arrives. */
      orderNumber: z.string().optional(),
    })
    .refine(({ items }) => new Set(items.map(({ lineId }) => lineId)).size === items.length, {
      path: ["items"],
      message: "Two lines have the same lineId: a refund could not tell them apart",
    }),
  indexes: {
    soldAt: "soldAt",
    shift: ["shiftId", "soldAt"],
    customer: ["customerId", "soldAt"],
    receipt: "receiptNumber",
  },
  assigned: ["orderNumber"],
  references: { customerId: "customers", "items[].productId": "products" },
});

const payments = defineCollection({
  kind: "fact",
  schema: z.object({
    ...place,
    saleId: id,
    method: z.enum(["cash", "card", "transfer", "voucher", "credit"]),
    /** The part of the sale that it pays. */
    amountCents: price,
    tenderedCents: price.optional(),
    changeCents: price.default(0),
    /** The payment provider's reference. */
    reference: z.string().max(128).optional(),
    paidAt: moment,
  }),
  indexes: { sale: "saleId", shift: ["shiftId", "paidAt"] },
  references: { saleId: "sales" },
});

/**
 * Refers to the sale and its lines. The sale may belong to another till, may not have arrived yet, or may be unknown,
 * as for a refund without a receipt.
 */
const refunds = defineCollection({
  kind: "fact",
  schema: z.object({
    ...place,
    saleId: id.optional(),
    items: z
      .array(z.object({ lineId: id.optional(), productId: id, name: label, quantity, amountCents: price }))
      .min(1)
      .max(500),
    totalCents: price,
    method: z.enum(["cash", "card", "transfer", "voucher", "credit"]),
    reason: z.string().max(200).optional(),
    refundedAt: moment,
  }),
  indexes: { sale: "saleId", shift: ["shiftId", "refundedAt"] },
  references: { saleId: "sales", "items[].productId": "products" },
});

/** The reason why stock moved, if it was not a sale. */
const stockMovements = defineCollection({
  kind: "fact",
  schema: z.object({
    branchId: id,
    productId: id,
    quantity: z.int(),
    reason: z.enum(["receipt", "return", "waste", "count", "transfer", "adjustment"]),
    /** The refund, purchase or count that caused it. */
    sourceId: id.optional(),
    movedAt: moment,
    note,
  }),
  indexes: { product: ["productId", "movedAt"], movedAt: "movedAt" },
  references: { productId: "products" },
  priority: "normal",
});

/** Goods received. */
const purchases = defineCollection({
  kind: "fact",
  schema: z.object({
    branchId: id,
    supplier: label,
    invoiceNumber: z.string().max(64).optional(),
    items: z
      .array(z.object({ productId: id, name: label, quantity, unitCostCents: price }))
      .min(1)
      .max(500),
    totalCents: price,
    receivedAt: moment,
    note,
  }),
  indexes: ["receivedAt", "supplier"],
  references: { "items[].productId": "products" },
  priority: "normal",
});

/** Names for receipts and lists. The token issuer decides who may sign in: there is no password and no PIN here. */
const users = defineCollection({
  schema: z.object({
    name: label,
    roles: z.array(z.enum(["owner", "manager", "cashier"])).max(3),
    branchId: id.optional(),
    active: z.boolean().default(true),
  }),
  indexes: ["name"],
});

/** Opening, counting and closing are facts, so a shift can be closed without a network. */
const shiftEvents = defineCollection({
  kind: "fact",
  schema: z.object({
    branchId: id,
    shiftId: id,
    type: z.enum(["opened", "cash_in", "cash_out", "counted", "closed"]),
    /** The amount that was put in, taken out or counted. */
    amountCents: cents.default(0),
    cashierId: id.optional(),
    happenedAt: moment,
    note,
  }),
  indexes: { shift: ["shiftId", "happenedAt"] },
});

/** The state that results from the shift events. Only the server writes it. */
const shifts = defineCollection({
  schema: z.object({
    branchId: id,
    openedAt: moment.optional(),
    openedBy: id.optional(),
    closedAt: moment.optional(),
    closedBy: id.optional(),
  }),
  indexes: ["openedAt"],
});

/** One row per setting; its id is the setting's name. A setting with a branch applies only to that branch. */
const settings = defineCollection({
  schema: z.object({ value: z.union([z.string().max(10_000), z.number(), z.boolean()]), branchId: id.optional() }),
});

export const collections = {
  products,
  categories,
  customers,
  sales,
  payments,
  refunds,
  stockMovements,
  purchases,
  users,
  shiftEvents,
  shifts,
  settings,
};
