/** `announceRestore`: begins a new epoch after a database was restored from a backup. */
import type { ServerStore } from "../ports/store.ts";
import { type AdminPorts, checkTarget, mint, readClock } from "./target.ts";

/**
 * Begins a new epoch. After a database was restored from a backup, call this once for each tenant, before the first
 * till connects. A server also notices a restore by itself, when a till shows something that the server has lost. Only
 * this call covers the time until then [C8.2].
 *
 * @returns the epoch that is now in force
 */
export async function announceRestore(store: ServerStore, tenant: string, ports: AdminPorts = {}): Promise<string> {
  checkTarget(store, tenant);
  const clock = await readClock(store, tenant);
  return mint(store, tenant, ports, { observed: clock?.epoch, announced: true });
}
