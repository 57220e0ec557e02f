/** The server that is measured: a whole handler, from the text of a request to the text of its answer, without a network. */
import { createSyncHandler, importRows } from "tillsync/server";
import type { ServerStore } from "../../../src/server/ports/store.ts";
import { collections, type Payment, product, type Sale, saleOf } from "../bench-shop.ts";

export const TENANT = "shop";

const everyone = { read: "everyone", create: "everyone" } as const;
const policies = {
  products: { scope: "tenant", allow: { ...everyone, update: "everyone", delete: "everyone" } },
  sales: { scope: "tenant", allow: everyone },
  payments: { scope: "tenant", allow: everyone },
} as const;

export type Handler = (request: Request) => Promise<Response>;

export function shopServer(store: ServerStore): Handler {
  return createSyncHandler({
    store,
    collections,
    policies,
    authenticate: (request) => ({
      tenant: TENANT,
      device: request.headers.get("tillsync-device") ?? undefined,
      scopes: [],
    }),
  });
}

export function importProducts(store: ServerStore, from: number, to: number): Promise<number> {
  function* rows() {
    for (let index = from; index < to; index++) yield product(index);
  }
  return importRows({ store, collections, tenant: TENANT, collection: "products", rows: rows() });
}

/** A till on the wire: what it sends is text that was made before. */
export class WireTill {
  readonly #handler: Handler;
  readonly #headers: Record<string, string>;
  readonly #device: { readonly id: string; readonly incarnation: string };
  #epoch = "";
  #mark: string | undefined;

  constructor(handler: Handler, id: string) {
    this.#handler = handler;
    this.#device = { id, incarnation: crypto.randomUUID() };
    this.#headers = {
      "tillsync-protocol": "1",
      "tillsync-request-id": crypto.randomUUID(),
      "tillsync-device": id,
      "content-type": "application/json",
    };
  }

  async register(): Promise<void> {
    const answer = JSON.parse(await this.#send("register", JSON.stringify({ device: this.#device, schemaVersion: 1 })));
    this.#epoch = answer.epoch;
    this.#mark = answer.mark;
  }

  /** Marks as of a till that pulls as often as it pushes. */
  async push(operations: string): Promise<string> {
    const answer = await this.#send("push", `${this.#frame()},"operations":${operations}}`);
    this.#mark = JSON.parse(/"mark":("[^"]*")/.exec(answer)?.[1] ?? "null") ?? undefined;
    return answer;
  }

  pull(collection: string, cursor: string | null, limit: number): Promise<string> {
    const asked = JSON.stringify({ [collection]: cursor });
    return this.#send("pull", `${this.#frame()},"schemaVersion":1,"limit":${limit},"collections":${asked}}`);
  }

  #frame(): string {
    const marks = this.#mark === undefined ? {} : { push: this.#mark, pull: this.#mark };
    return JSON.stringify({ device: this.#device, epoch: this.#epoch, marks }).slice(0, -1);
  }

  async #send(path: string, body: string): Promise<string> {
    const request = new Request(`http://shop.test/sync/${path}`, { method: "POST", headers: this.#headers, body });
    const response = await this.#handler(request);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path} was answered with ${response.status}: ${text.slice(0, 500)}`);
    return text;
  }
}

export type Workload = "sales" | "checkouts";

/** The operations of one push, as text. `sales`: facts alone, so that every row is new. `checkouts`: with the stock of what was sold. */
export function batchText(workload: Workload, from: number, size: number, products: number): string {
  const operations: object[] = [];
  for (let at = from; operations.length < size; at++) {
    const sale = saleOf(at, products);
    const transaction = crypto.randomUUID();
    const add = (collection: string, entityId: string, effect: object) =>
      operations.push({
        id: crypto.randomUUID(),
        sequence: from * 10 + operations.length + 1,
        collection,
        entityId,
        transaction,
        schemaVersion: 1,
        occurredAt: "2026-11-20T08:00:00.000Z",
        actor: sale.cashier,
        ...effect,
      });
    const saleId = crypto.randomUUID();
    const payment: Omit<Payment, "id"> = { saleId, method: "card", amountCents: sale.totalCents };
    add("sales", saleId, { action: "create", data: sale satisfies Omit<Sale, "id"> });
    add("payments", crypto.randomUUID(), { action: "create", data: payment });
    if (workload === "sales") continue;
    for (const { productId, quantity } of sale.items)
      add("products", productId, { action: "increment", by: { stock: -quantity } });
  }
  return JSON.stringify(operations.slice(0, size));
}
