/**
 * The settings of every transaction of the store. They end with it: in a session that a pooler shares, a `search_path`
 * or a role that stays would reach other clients.
 */
import type { Statement } from "./connection.ts";

export interface SettingsOptions {
  readonly schema: string;
  readonly role: string | undefined;
  readonly busyTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

/** One statement for all of them, after `begin`. The same text for every tenant: it is prepared once. */
export function transactionSettings(options: SettingsOptions): (tenant: string) => Statement {
  const { schema, role, busyTimeoutMs, statementTimeoutMs } = options;
  const settings: Record<string, string> = {
    ...always(schema, busyTimeoutMs),
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
  // Row-level security reads the tenant.
  const statement = local({ "tillsync.tenant": "", ...settings });
  return (tenant) => ({ text: statement.text, values: [tenant, ...statement.values.slice(1)] });
}

/** They have no limit for a statement: a migration takes as long as it takes. */
export function settingsOfMigrations(options: Pick<SettingsOptions, "schema" | "busyTimeoutMs">): Statement {
  return local(always(options.schema, options.busyTimeoutMs));
}

function always(schema: string, busyTimeoutMs: number): Record<string, string> {
  // A commit that has returned is on disk [L2], whatever the server's default is.
  return { search_path: schema, synchronous_commit: "on", lock_timeout: String(busyTimeoutMs) };
}

function local(settings: Readonly<Record<string, string>>): Statement {
  const names = Object.keys(settings);
  return {
    text: `select ${names.map((name, index) => `set_config('${name}', $${index + 1}, true)`).join(", ")}`,
    values: Object.values(settings),
  };
}
