/** `mergeFields`: a rule for each field. The default of every collection is `mergeFields({}, "server")`. */
import type { ConflictContext, ConflictResolver } from "../schema/types.ts";
import { expectOption } from "../shared/errors.ts";
import { deepEqual, type Json, type JsonObject } from "../shared/json.ts";
import { mergeRecords } from "./merge.ts";
import { markStrategy, type Side } from "./strategies.ts";

/** The rule of a field: the side to keep, `"manual"`, or a pure function of its three values. */
export type FieldRule<V> = Side | ((values: { base: V | undefined; client: V; server: V }) => V);
type LooseRules = Readonly<Record<string, FieldRule<Json | undefined> | undefined>>;

const SIDES: readonly unknown[] = ["server", "client", "manual"];
const EXPECTED = '"server", "client" or "manual"';

/**
 * A resolver that decides field by field.
 *
 * It returns the server's record with all fields that only the client changed, and with the outcome of a rule in each
 * field that both sides changed: `"server"` or `"client"` keeps that side's value, a function returns the value. If one
 * of these fields has the rule `"manual"`, people decide the whole conflict.
 * If the outcome equals the server's record, it returns `"server"`.
 *
 * @param fields the rules by field
 * @param otherwise the rule of all other fields, and what is kept if one side has deleted the record;
 *   `"server"` if it is left out
 * @throws TillSyncError `invalid_option`
 * @example
 * ```ts
 * const products = defineCollection({
 *   schema: z.object({ name: z.string(), priceCents: z.int(), note: z.string() }),
 *   conflict: mergeFields({ priceCents: "server", note: ({ client, server }) => `${server}\n${client}` }, "client"),
 * });
 * ```
 */
export function mergeFields<T>(
  fields?: { readonly [K in keyof NoInfer<T>]?: FieldRule<T[K]> },
  otherwise: Side = "server",
): ConflictResolver<T> {
  const rules = (fields ?? {}) as LooseRules;
  expectOption(SIDES.includes(otherwise), "otherwise", EXPECTED, otherwise, "Leave it out to keep the server's value.");
  for (const [field, rule] of Object.entries(rules)) {
    expectOption(
      rule === undefined || typeof rule === "function" || SIDES.includes(rule),
      `mergeFields.${field}`,
      `${EXPECTED}, or a function`,
      rule,
      "It receives `{ base, client, server }` and returns the field's value.",
    );
  }
  const resolve = (conflict: ConflictContext<JsonObject>): JsonObject | Side => decide(conflict, rules, otherwise);
  // Here a record is a JSON object; `T` is the type that the application's schema gives it.
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
