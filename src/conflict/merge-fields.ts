/** `mergeFields`: a rule per field. The default of every collection is `mergeFields({}, "server")`. */

import type { ConflictContext, ConflictResolver } from "../schema/types.ts";
import { expectOption } from "../shared/errors.ts";
import { deepEqual, type Json, type JsonObject } from "../shared/json.ts";
import { mergeRecords } from "./merge.ts";
import { markStrategy, type Side } from "./strategies.ts";

/** One field's rule: a side, or a pure function of its three values. */
export type FieldRule<V> = Side | ((values: { base: V | undefined; client: V; server: V }) => V);
type LooseRules = Readonly<Record<string, FieldRule<Json | undefined> | undefined>>;

const SIDES: readonly unknown[] = ["server", "client", "manual"];
const EXPECTED = '"server", "client" or "manual"';

/**
 * Fields named here settle themselves; any other field that both sides changed goes to `otherwise`.
 *
 * The answer is the server's record with the client's own changes on it (what only the client changed is in nobody's way)
 * and, in the fields that both changed, what the rules say. Where nothing of the client is left in it, the answer is
 * `"server"`. One field that is `"manual"` gives the whole conflict to people.
 *
 * @param otherwise `"server"` (default), `"client"` or `"manual"`. It also decides where one side has deleted the record.
 * @throws TillSyncError `invalid_option`
 * @example
 * ```ts
 * mergeFields({ priceCents: "server", note: ({ client, server }) => `${server}\n${client}` })
 * ```
 */
export function mergeFields<T>(
  fields?: { readonly [K in keyof NoInfer<T>]?: FieldRule<T[K]> },
  otherwise: Side = "server",
): ConflictResolver<T> {
  const rules = (fields ?? {}) as LooseRules;
  expectOption(SIDES.includes(otherwise), "otherwise", EXPECTED, otherwise, "Leave it out for the server's side.");
  for (const [field, rule] of Object.entries(rules)) {
    expectOption(
      rule === undefined || typeof rule === "function" || SIDES.includes(rule),
      `mergeFields.${field}`,
      `${EXPECTED}, or a function`,
      rule,
      "It gets `{ base, client, server }` and answers the field's value.",
    );
  }
  const resolve = (conflict: ConflictContext<JsonObject>): JsonObject | Side => decide(conflict, rules, otherwise);
  // Inside, a record is a JSON object; `T` is what the application's schema makes of it.
  return markStrategy(resolve as never, "merge", otherwise);
}

function decide(conflict: ConflictContext<JsonObject>, rules: LooseRules, otherwise: Side): JsonObject | Side {
  const chosen: Record<string, Json | undefined> = {};
  for (const field of conflict.fields) {
    const rule = (Object.hasOwn(rules, field) ? rules[field] : undefined) ?? otherwise;
    if (rule === "manual") return "manual";
    const values = { base: conflict.base?.[field], client: conflict.client[field], server: conflict.server[field] };
    chosen[field] = typeof rule === "function" ? rule(values) : values[rule];
  }
  const merged = mergeRecords(conflict, chosen);
  return deepEqual(merged, conflict.server) ? "server" : merged;
}
