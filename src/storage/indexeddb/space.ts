/** What the platform says about the space that it grants. */
import type { StorageEstimate } from "../../client/ports/storage.ts";

export async function estimateSpace(): Promise<StorageEstimate> {
  const [persisted, space] = await Promise.all([
    ask((manager) => manager.persisted?.()),
    ask(async (manager) => {
      const estimate = await manager.estimate?.();
      return { usedBytes: estimate?.usage, quotaBytes: estimate?.quota };
    }),
  ]);
  return { persisted: persisted ?? false, usedBytes: space?.usedBytes, quotaBytes: space?.quotaBytes };
}

/**
 * Asks the platform not to evict the store. Firefox asks the user, and may wait without a limit: no caller waits for
 * the answer.
 */
export function askToPersist(): void {
  void ask((manager) => manager.persist?.());
}

/**
 * The answer of the storage manager; `undefined` if nothing is known, which is not a failure. The manager is missing in
 * insecure contexts and in old browsers. If site data is blocked, even reading it may throw.
 */
async function ask<T>(question: (manager: Partial<StorageManager>) => Promise<T> | undefined): Promise<T | undefined> {
  try {
    const { navigator } = globalThis as { navigator?: { storage?: Partial<StorageManager> } };
    return await question(navigator?.storage ?? {});
  } catch {
    return undefined;
  }
}
