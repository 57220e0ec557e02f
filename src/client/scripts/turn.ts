/**
 * The turn to talk to the server, as the store knows it: the fencing token of the client that has it, and the lease on
 * platforms without locks.
 */
import { decideLease } from "../decide/lease.ts";
import type { StorageScript } from "../ports/storage.ts";
import { FIRST_SYNC_POINT, LEASE, SYNC, type SyncPoint } from "../state/meta.ts";
import { META } from "../state/tables.ts";
import { ask, meta } from "./reads.ts";

/** Takes the next fencing token. From then on, every answer that an earlier holder wants to store is stale. */
export function* takeFence(): StorageScript<{ readonly point: SyncPoint }> {
  const [[known = FIRST_SYNC_POINT]] = yield* ask([meta(SYNC)]);
  const point: SyncPoint = { ...known, fence: known.fence + 1 };
  return { value: { point }, writes: [{ kind: "put", table: META, key: SYNC, value: point }] };
}

/** Takes or renews the lease for `ms` milliseconds. Returns whether `holder` has it now. */
export function* takeLease(holder: string, now: number, ms: number): StorageScript<boolean> {
  const [[stored]] = yield* ask([meta(LEASE)]);
  const value = decideLease(stored, holder, now, ms);
  if (value === undefined) return { value: false, writes: [] };
  return { value: true, writes: [{ kind: "put", table: META, key: LEASE, value }] };
}

/** Gives the lease back, if `holder` has it. */
export function* giveLease(holder: string): StorageScript<void> {
  const [[stored]] = yield* ask([meta(LEASE)]);
  if (stored?.holder !== holder) return { value: undefined, writes: [] };
  return { value: undefined, writes: [{ kind: "delete", table: META, key: LEASE }] };
}
