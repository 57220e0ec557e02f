/**
 * Versions of the shop: fields are renamed, rescaled, nested and added, and a collection is there only from the second version on. Apps
 * and servers are of any of them at any time.
 *
 * The simulator speaks version 1 everywhere. What is of another version is translated by this file, which knows nothing of `upcast`.
 */
import { manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import type { Policies } from "tillsync/server";
import * as z from "zod";
import { editors, collections as first, type Shop, STOCK_BOUNDS, VISITS_BOUNDS } from "./sim-shop.ts";

export type Version = 1 | 2 | 3;
export const NEWEST: Version = 3;
export type Json = Readonly<Record<string, unknown>>;

/** A field that changes: its name, and how a value of version 1 is written, in each version. */
interface Field {
  readonly names: readonly [string, string, string];
  readonly write: readonly ((value: never) => unknown)[];
  readonly read: readonly ((value: never) => unknown)[];
}
const same = (value: unknown) => value;
const times = (factor: number) => (value: number) => value * factor;
const by = (factor: number) => (value: number) => value / factor;

/** The fields that change, by collection. */
const FIELDS: Readonly<Record<string, readonly Field[]>> = {
  products: [
    {
      names: ["priceCents", "priceMills", "price"],
      write: [same, times(10), (value: number) => ({ mills: value * 10 })],
      read: [same, by(10), (value: { mills: number }) => value.mills / 10],
    },
  ],
  sales: [
    {
      names: ["totalCents", "totalMills", "totalMills"],
      write: [same, times(10), times(10)],
      read: [same, by(10), by(10)],
    },
  ],
  payments: [
    {
      names: ["amountCents", "amountMills", "amountMicros"],
      write: [same, times(10), times(100)],
      read: [same, by(10), by(100)],
    },
  ],
  customers: [{ names: ["phone", "telephone", "phone"], write: [same, same, same], read: [same, same, same] }],
};
/** What a version adds to every record: its name and its value. Version 1 has none of it. */
const ADDED: Readonly<Record<string, readonly (readonly [name: string, since: Version, value: unknown])[]>> = {
  products: [["taxRate", 2, 19]],
  sales: [["channel", 3, "pos"]],
};

/** A record or a patch of version 1 as an app of that version writes it. */
export function up<D extends Json>(version: number, collection: string, data: D): D {
  const next: Record<string, unknown> = { ...data };
  for (const { names, write } of FIELDS[collection] ?? []) {
    if (!Object.hasOwn(data, names[0])) continue;
    const value = data[names[0]];
    delete next[names[0]];
    next[names[version - 1] as string] = value === undefined ? undefined : write[version - 1]?.(value as never);
  }
  return next as D;
}

/** A new record, with what an app of that version gives it. */
export function made<D extends Json>(version: number, collection: string, data: D): D {
  const added = (ADDED[collection] ?? []).filter(([, since]) => version >= since);
  return { ...Object.fromEntries(added.map(([name, , value]) => [name, value])), ...up(version, collection, data) };
}

/** In a record that was translated, the name of a field that its version does not have. */
const STRAY = "of another version";

/** The other way. What this version has added is taken out, if it is what it should be: otherwise it stays, and is seen. */
export function down<D extends Json>(version: number, collection: string, data: D): D {
  const next: Record<string, unknown> = { ...data };
  for (const { names, read } of FIELDS[collection] ?? []) {
    const name = names[version - 1] as string;
    const stray = names.find((other) => other !== name && Object.hasOwn(data, other));
    if (stray !== undefined) {
      delete next[stray];
      next[STRAY] = stray;
    }
    if (!Object.hasOwn(data, name)) continue;
    const value = data[name];
    delete next[name];
    next[names[0]] = value === undefined ? undefined : read[version - 1]?.(value as never);
  }
  for (const [name, since, value] of ADDED[collection] ?? [])
    if (version >= since && next[name] === value) delete next[name];
  return next as D;
}

/** The name of a field in version 1. */
export function plainName(version: number, collection: string, name: string): string {
  const field = FIELDS[collection]?.find(({ names }) => names[version - 1] === name);
  return field?.names[0] ?? name;
}

/** What is of the wrong version: money that is not whole in version 1, and a field that only another version has. */
export function mislabelled(collection: string, data: Json): string | undefined {
  if (data[STRAY] !== undefined) return `it has ${data[STRAY]}`;
  for (const { names } of FIELDS[collection] ?? []) {
    const value = data[names[0]];
    if (typeof value === "number" && !Number.isInteger(value)) return `${names[0]} is ${value}`;
    const stray = names.find((name) => name !== names[0] && Object.hasOwn(data, name));
    if (stray !== undefined) return `it has ${stray}`;
  }
  return undefined;
}

interface Labelled {
  readonly collection: string;
  readonly schemaVersion?: number | undefined;
}

/** An operation as it would be in version 1. */
export function plainOperation<O extends Labelled>(operation: O): O {
  const { collection, schemaVersion = 1 } = operation;
  const { data, patch, unset, before } = operation as {
    data?: Json;
    patch?: Json;
    unset?: readonly string[];
    before?: Json;
  };
  if (schemaVersion === 1) return operation;
  const record = (of: Json | undefined) => of && down(schemaVersion, collection, of);
  return {
    ...operation,
    ...(data && { data: record(data) }),
    ...(patch && { patch: record(patch) }),
    ...(before && { before: record(before) }),
    ...(unset && { unset: unset.map((name) => plainName(schemaVersion, collection, name)) }),
  };
}

type Decide = (decided: { readonly operation: Json & { readonly data?: Json; readonly patch?: Json } }) => object;

/** The shop's policies, for operations of that version. */
export function policiesOf(version: Version, policies: Policies<Shop>): Policies<Shop> {
  if (version === 1) return policies;
  const translated = Object.entries(policies as unknown as Readonly<Record<string, { readonly decide?: Decide }>>).map(
    ([name, policy]) => [
      name,
      {
        ...policy,
        decide(decided: Parameters<Decide>[0]) {
          const operation = plainOperation({ ...decided.operation, collection: name, schemaVersion: version });
          return policy.decide?.({ ...decided, operation }) ?? { outcome: "applied" };
        },
      },
    ],
  );
  return { ...Object.fromEntries(translated), notes: { scope: "tenant", allow: editors } } as unknown as Policies<Shop>;
}

const notes = defineCollection({ schema: z.object({ text: z.string() }), conflict: manual() });

const product = {
  name: z.string().min(1),
  shelf: z.string().optional(),
  label: z.string().optional(),
  picture: z.string().optional(),
  stock: z.int().default(0),
  returned: z.int().default(0),
};
const customer = {
  name: z.string(),
  note: z.string().nullable().optional(),
  points: z.int().default(0),
  visits: z.int().default(0),
};
const sale = {
  customerId: z.string().optional(),
  productId: z.string(),
  quantity: z.int(),
  till: z.string(),
  doubtful: z.boolean(),
  signature: z.string().optional(),
  orderNumber: z.string().optional(),
};
const payment = { saleId: z.string(), doubtful: z.boolean() };
const mills = z.int().nonnegative();
const telephone = z.string().nullable().default(null);

type Data = Record<string, unknown>;
const steps = {
  products: {
    1: ({ priceCents, ...data }: Data) => ({ taxRate: 19, ...data, priceMills: (priceCents as number) * 10 }),
    2: ({ priceMills, ...data }: Data) => ({ ...data, price: { mills: priceMills } }),
  },
  customers: {
    1: ({ phone, ...data }: Data) => ({ ...data, telephone: phone }),
    2: ({ telephone: phone, ...data }: Data) => ({ ...data, phone }),
  },
  sales: {
    1: ({ totalCents, ...data }: Data) => ({ ...data, totalMills: (totalCents as number) * 10 }),
    2: (data: Data) => ({ channel: "pos", ...data }),
  },
  payments: {
    1: ({ amountCents, ...data }: Data) => ({ ...data, amountMills: (amountCents as number) * 10 }),
    2: ({ amountMills, ...data }: Data) => ({ ...data, amountMicros: (amountMills as number) * 10 }),
  },
};
const upTo = (version: Version, all: Readonly<Record<number, (data: Data) => Data>>) =>
  Object.fromEntries(Object.entries(all).filter(([from]) => Number(from) < version));

function later(version: 2 | 3) {
  const isThird = version === 3;
  return {
    ...first,
    products: defineCollection({
      schema: z.object({
        ...product,
        taxRate: z.int(),
        ...(isThird ? { price: z.object({ mills }) } : { priceMills: mills }),
      }),
      indexes: { name: "name" },
      counters: ["stock", "returned"],
      counterBounds: { stock: STOCK_BOUNDS },
      schemaVersion: version,
      upcast: upTo(version, steps.products),
    }),
    customers: defineCollection({
      schema: z.object({ ...customer, ...(isThird ? { phone: telephone } : { telephone }) }),
      indexes: { phone: (isThird ? "phone" : "telephone") as never },
      counters: ["points", "visits"],
      counterBounds: { visits: VISITS_BOUNDS },
      conflict: manual(),
      schemaVersion: version,
      upcast: upTo(version, steps.customers),
    }),
    sales: defineCollection({
      kind: "fact",
      schema: z.object({
        ...sale,
        totalMills: z.int(),
        ...(isThird && { channel: z.string().trim().default("pos") }),
      }),
      indexes: ["till"],
      assigned: ["orderNumber"],
      references: { customerId: "customers", productId: "products" },
      schemaVersion: version,
      upcast: upTo(version, steps.sales),
    }),
    payments: defineCollection({
      kind: "fact",
      schema: z.object({ ...payment, ...(isThird ? { amountMicros: z.int() } : { amountMills: z.int() }) }),
      indexes: ["saleId"],
      references: { saleId: "sales" },
      schemaVersion: version,
      upcast: upTo(version, steps.payments),
    }),
    notes,
  };
}

const shops = new Map<Version, Shop>([
  [1, first],
  [2, later(2) as unknown as Shop],
  [3, later(3) as unknown as Shop],
]);

/** The collections of a version. */
export const shopOf = (version: Version): Shop => shops.get(version) as Shop;
