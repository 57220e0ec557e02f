/** What the platform says of the space it gives. */
import type { StorageEstimate } from "../../client/ports/storage.ts";

/** Missing in insecure contexts and in old browsers: then nothing is known, which is no failure. */
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

/** Asks not to be evicted. Firefox may show the question to the user for as long as it likes: nobody waits for the answer. */
export function askToPersist(): void {
  manager()
    .persist?.()
    .catch(() => {});
}
