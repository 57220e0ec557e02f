/** Scripts of one step, which most cases use. */
import { ask, type ServerStore, type StoreReadKind, type StoreReads, type StoreWrites } from "../ports/store.ts";

/** The tenant of every case that does not test tenants. */
export const SHOP = "shop";

export function write(store: ServerStore, writes: StoreWrites, tenant = SHOP): Promise<void> {
  // biome-ignore lint/correctness/useYield: a script that reads nothing.
  return store.transact(tenant, function* () {
    return { value: undefined, writes };
  });
}

export function read<K extends StoreReadKind>(
  store: ServerStore,
  request: StoreReads[K]["request"] & { readonly kind: K },
  tenant = SHOP,
): Promise<StoreReads[K]["answer"]> {
  return store.read(tenant, () => ask<K>(request));
}

/** Takes the next position of the tenant, as every writing transaction of a server does. */
export function takePosition(store: ServerStore, id: string, tenant = SHOP): Promise<number> {
  return store.transact(tenant, function* () {
    const clock = yield* ask({ kind: "clock" });
    const position = (clock?.position ?? 0) + 1;
    return {
      value: position,
      writes: { clock: { lastId: id, epoch: "epoch-1", epochOrdinal: 1, epochStart: 0, deviceNumber: 0, position } },
    };
  });
}

/** The numbers from 1 to `count`. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
