/** `openStore`: opens a store when the server starts, and not with the first till's request. */
import { checkStore } from "../options.ts";
import type { ServerStore } from "../ports/store.ts";

/**
 * Opens the store now: loads its library, connects and migrates. Call it before the server listens. Otherwise the first
 * request does this, and a wrong URL or a missing library shows as a 503 to the first till.
 *
 * @example
 * ```ts
 * const store = postgresStore({ url });
 * await openStore(store);
 * ```
 * @throws TillSyncError `storage_unavailable` (its message says what to install, start or change), `storage_newer`,
 * `storage_corrupt`; `invalid_option` if `store` is not a store. An error of the database that has no code here is
 * thrown as it is.
 */
export async function openStore(store: ServerStore): Promise<void> {
  checkStore(store);
  await store.secret();
}
