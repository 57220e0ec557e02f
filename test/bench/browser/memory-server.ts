/** The other end of both tills of the bench: a server that answers from memory, at once. */

import type { Transport, TransportResult } from "tillsync";
import type { Change, OperationResult, PullPage, WireOperation } from "../../../src/protocol/types.ts";
import { product } from "../bench-shop.ts";

export interface MemoryServer extends Transport {
  /** How many products it has. */
  products: number;
  /** Changes behind the products, in the order in which they were made. */
  changed: readonly Change[];
  /** Pushes that it still answers; then it is out of reach. */
  pushes: number;
  readonly pushed: Set<string>;
  /** The page of products behind a cursor, without anything around it: all that the till by hand asks for. */
  page(cursor: string | null, limit: number): PullPage;
}

/** A prime: it meets each product once, whatever their number, unless that is a multiple of it. */
const STEP = 7_919;
const EPOCH = "1.00000000.bench.00000000000000000000000000000000";

/** @param isShuffled its products come in another order than that of their ids: as of an import, or after years of edits */
export function memoryServer(products: number, isShuffled = false): MemoryServer {
  const placed = (at: number) => (isShuffled ? (at * STEP) % products : at);
  const ok = <T>(value: T): TransportResult<T> => ({
    ok: true,
    value,
    timing: { serverTime: Date.now(), roundTripMs: 0 },
  });
  const answer = (requestId: string) => ({
    requestId,
    epoch: EPOCH,
    serverTime: new Date().toISOString(),
    mark: "mark",
  });
  const server: MemoryServer = {
    kind: "memory",
    "~port": "transport",
    products,
    changed: [],
    pushes: Number.POSITIVE_INFINITY,
    pushed: new Set(),
    page(cursor, limit) {
      const [rows = 0, changes = 0] = (cursor ?? "").split(".").map(Number);
      const count = Math.min(limit, server.products - rows);
      const fresh = Array.from({ length: count }, (_, at) => changeOf(placed(rows + at)));
      const changed = server.changed.slice(changes, changes + limit - count);
      const remaining = server.products - rows - count + server.changed.length - changes - changed.length;
      return {
        changes: [...fresh, ...changed],
        cursor: `${rows + count}.${changes + changed.length}`,
        more: remaining > 0,
        remaining,
      };
    },
    async register({ device }, { requestId }) {
      const registeredAt = new Date().toISOString();
      return ok({
        requestId,
        tenant: "shop",
        device: { id: device.id, registeredAt, number: 1 },
        epoch: EPOCH,
        mark: "mark",
        lastSequence: 0,
        unsynced: [],
        serverTime: registeredAt,
      });
    },
    async push({ operations }, { requestId }) {
      if (server.pushes-- <= 0) return { ok: false, failure: { kind: "unreachable", reason: "network" } };
      for (const { id } of operations) server.pushed.add(id);
      return ok({ ...answer(requestId), results: operations.map(resultOf) });
    },
    async pull({ collections, limit = 1_000 }, { requestId }) {
      const pages = Object.entries(collections).map(([name, cursor]) => [
        name,
        name === "products" ? server.page(cursor, limit) : { changes: [], cursor: "0", more: false },
      ]);
      return ok({ ...answer(requestId), results: [], pages: Object.fromEntries(pages) });
    },
    async time() {
      return ok({ serverTime: new Date().toISOString() });
    },
  };
  return server;
}

export function changeOf(index: number, revision = 0): Change {
  const { id, ...data } = product(index, revision);
  return { id, version: 1 + index + revision * 10_000_000, data };
}

function resultOf({ id, sequence }: WireOperation): OperationResult {
  return { id, status: "applied", version: 20_000_000 + sequence };
}
