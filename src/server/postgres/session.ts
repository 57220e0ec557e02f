/** What every connection of the store is told before its first use. */
import type { Statement } from "./connection.ts";

export interface SessionOptions {
  readonly schema: string;
  readonly role: string | undefined;
  readonly busyTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

export function sessionSettings({ schema, role, busyTimeoutMs, statementTimeoutMs }: SessionOptions): Statement {
  const settings: Record<string, string> = {
    search_path: schema,
    // A commit that was answered is on disk [L2], whatever the server was set to.
    synchronous_commit: "on",
    lock_timeout: String(busyTimeoutMs),
    statement_timeout: String(statementTimeoutMs),
    // A process that froze in a transaction lets go of its tenant.
    idle_in_transaction_session_timeout: String(statementTimeoutMs),
    // Every statement is a handful of look-ups in an index. Compiling one took 330 ms where a cost was misjudged, planning one
    // anew costs as much as running it, and a planner that is free to choose reads a table because it is small today.
    jit: "off",
    plan_cache_mode: "force_generic_plan",
    enable_seqscan: "off",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
  };
  // Last: an ordinary role may not change everything.
  if (role !== undefined) settings.role = role;
  const names = Object.keys(settings);
  return {
    text: `select ${names.map((name, index) => `set_config('${name}', $${index + 1}, false)`).join(", ")}`,
    values: Object.values(settings),
  };
}
