/** The settings of every connection of the store, made before its first use. */
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
    // A commit that has returned is on disk [L2], whatever the server's default is.
    synchronous_commit: "on",
    lock_timeout: String(busyTimeoutMs),
    statement_timeout: String(statementTimeoutMs),
    // A process that freezes in a transaction releases its tenant's lock.
    idle_in_transaction_session_timeout: String(statementTimeoutMs),
    // Every statement is a few index look-ups. JIT compilation took 330 ms when a cost was misjudged, planning again
    // costs as much as running the statement, and a planner that is free to choose scans a table because it is small
    // today.
    jit: "off",
    plan_cache_mode: "force_generic_plan",
    enable_seqscan: "off",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
  };
  // Last: an ordinary role may not change every setting.
  if (role !== undefined) settings.role = role;
  const names = Object.keys(settings);
  return {
    text: `select ${names.map((name, index) => `set_config('${name}', $${index + 1}, false)`).join(", ")}`,
    values: Object.values(settings),
  };
}
