/** What the platform says about the space that it grants. */
import type { StorageEstimate } from "../../client/ports/storage.ts";

/** Missing in insecure contexts and in old browsers: then nothing is known, which is not a failure. */
function manager(): Partial<StorageManager> {
  return (globalThis as { navigator?: { storage?: Partial<StorageManager> } }).navigator?.storage ?? {};
}

export async function estimateSpace(): Promise<StorageEstimate> {
  const storage = manager();
  const [persisted, space] = await Promise.all([
    storage.persisted?.().catch(() => false),
    storage.estimate?.().catch(() => undefined),
  ]);
  return { persisted: persisted ?? false, usedBytes: space?.usage, quotaBytes: space?.quota };
}

/**
 * Asks the platform not to evict the store. Firefox asks the user, and may wait without a limit: no caller waits for
 * the answer.
 */
export function askToPersist(): void {
  manager()
    .persist?.()
    .catch(() => {});
}
