/** What the cases of the storage contract share: a small shop, and short functions to read and write it. */
import {
  get,
  type Key,
  type ScanOptions,
  type StorageAdapter,
  type StorageConnection,
  type StorageHooks,
  type StorageLayout,
  type StorageScript,
  type StorageWrite,
  type TransactOptions,
} from "../../client/ports/storage.ts";

/** Makes an adapter with empty stores. Called once for each case. */
export type MakeStorage = () => MadeStorage | Promise<MadeStorage>;
/** An adapter, or `adapter` with a `cleanup` that runs after the case, when all of its connections are closed. */
export type MadeStorage = StorageAdapter | { readonly adapter: StorageAdapter; cleanup?(): void | Promise<void> };

/** One law, as a test. */
export interface StorageContractCase {
  /** The law, as a sentence. */
  readonly name: string;
  /** Rejects if the adapter breaks the law. */
  run(make: MakeStorage): Promise<void>;
}

export interface Product {
  readonly name: string;
  readonly category?: string | undefined;
  readonly price?: number | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** An index from a signature and a function. */
export function index(name: string, signature: string, keys: (product: Product) => readonly Key[]) {
  return { name, signature, keys: keys as (value: unknown) => readonly Key[] };
}

export const byName = index("by-name", "name", ({ name }) => [name]);
/** A sparse index: products without a category are not in it. */
export const byCategory = index("category", "category", ({ category }) => (category === undefined ? [] : [category]));
/** An index with several entries for a product. */
export const byTag = index("tags", "tags", ({ tags = [] }) => tags);
/** An index whose keys are arrays of a string and a number. */
export const byPrice = index("category/price", "category,price", ({ category, price }) =>
  category === undefined || price === undefined ? [] : [[category, price]],
);

export const shop: StorageLayout = {
  format: 1,
  tables: [
    { name: "products", indexes: [byName, byCategory, byTag, byPrice] },
    { name: "counters", indexes: [] },
    { name: "sales", indexes: [] },
  ],
};

export const STRICT = { tables: ["products", "counters", "sales"], durability: "strict" } as const;

/** Some products, with and without what the indexes use. */
export const fruit: Readonly<Record<string, Product>> = {
  p1: { name: "apple", category: "fruit", price: 30, tags: ["red", "green"] },
  p2: { name: "banana", category: "fruit", price: 20, tags: ["yellow"] },
  p3: { name: "bread", category: "bakery", price: 250 },
  p4: { name: "cherry", category: "fruit", price: 20, tags: ["red"] },
  p5: { name: "bag" },
};

/** The adapter of one case, and the connections that the case has opened. */
export class StorageKit {
  readonly adapter: StorageAdapter;
  readonly #opened: StorageConnection[] = [];

  constructor(adapter: StorageAdapter) {
    this.adapter = adapter;
  }

  async open(
    layout: StorageLayout = shop,
    hooks: Partial<StorageHooks> = {},
    name = "contract",
  ): Promise<StorageConnection> {
    const connection = await this.adapter.open(name, layout, { onFailure() {}, onSuperseded() {}, ...hooks });
    this.#opened.push(connection);
    return connection;
  }

  async closeAll(): Promise<void> {
    await Promise.allSettled(this.#opened.map((connection) => connection.close()));
  }
}

export function contractCase(name: string, body: (kit: StorageKit) => Promise<void>): StorageContractCase {
  return {
    name,
    async run(make) {
      const made = await make();
      const kit = new StorageKit("adapter" in made ? made.adapter : made);
      try {
        await body(kit);
      } finally {
        await kit.closeAll();
        if ("adapter" in made) await made.cleanup?.();
      }
    },
  };
}

export function put(table: string, key: string, value: unknown): StorageWrite {
  return { kind: "put", table, key, value };
}

/** A script that only writes. */
// biome-ignore lint/correctness/useYield: a script that reads nothing yields nothing
export function* writing(...writes: readonly StorageWrite[]): StorageScript<void> {
  return { value: undefined, writes };
}

export async function write(connection: StorageConnection, ...writes: readonly StorageWrite[]): Promise<void> {
  await connection.transact(STRICT, () => writing(...writes));
}

export async function stock(connection: StorageConnection, products: Readonly<Record<string, Product>>): Promise<void> {
  await write(connection, ...Object.entries(products).map(([id, product]) => put("products", id, product)));
}

/** Reads, adds and writes: the shortest script that goes wrong if another one comes in between. */
export function increment(
  connection: StorageConnection,
  counter: string,
  options: TransactOptions = STRICT,
): Promise<number> {
  return connection.transact(options, function* () {
    const [value = 0] = yield* get<number>("counters", [counter]);
    return { value: value + 1, writes: [put("counters", counter, value + 1)] };
  });
}

export async function one<V>(connection: StorageConnection, table: string, key: string): Promise<V | undefined> {
  const [value] = await connection.get<V>(table, [key]);
  return value;
}

/** The primary keys that a scan of the products returns, in its order. */
export async function ids(connection: StorageConnection, options: ScanOptions): Promise<string[]> {
  return (await connection.scan("products", options)).map(({ primary }) => primary);
}
