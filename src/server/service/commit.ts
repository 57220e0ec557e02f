/** Commits a decision in a transaction of the tenant. */
import { asScript, type Decision } from "../decide/rows/run.ts";
import type { ServerParts } from "../options.ts";

/** Logs what the decision wanted logged only after the commit: a run that was thrown away has not happened. */
export async function commitDecision<T>(
  { store, logger }: Pick<ServerParts, "store" | "logger">,
  tenant: string,
  decision: Decision<T>,
  failed: (error: unknown) => never = rethrow,
): Promise<T> {
  // Not around the log: a logger that throws is no failure of the store.
  const { value, logged } = await store.transact(tenant, asScript(decision)).catch(failed);
  for (const { level, message, fields } of logged) logger[level](message, { tenant, ...fields });
  return value;
}

function rethrow(error: unknown): never {
  throw error;
}
