/** The lease in the store: taking it and giving it back. */
import { decideLease, type StoredLease } from "../decide/lease.ts";
import { get, type StorageScript } from "../ports/storage.ts";
import { LEASE, META } from "../state/stored.ts";

/** Answers whether `holder` has it now. */
export function* takeLease(holder: string, now: number, ms: number): StorageScript<boolean> {
  const [stored] = yield* get<StoredLease>(META, [LEASE]);
  const value = decideLease(stored, holder, now, ms);
  if (value === undefined) return { value: false, writes: [] };
  return { value: true, writes: [{ kind: "put", table: META, key: LEASE, value }] };
}

export function* giveLease(holder: string): StorageScript<void> {
  const [stored] = yield* get<StoredLease>(META, [LEASE]);
  if (stored?.holder !== holder) return { value: undefined, writes: [] };
  return { value: undefined, writes: [{ kind: "delete", table: META, key: LEASE }] };
}
