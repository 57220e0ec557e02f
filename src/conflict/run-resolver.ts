/**
 * Calls a collection's resolver. Application code runs here inside a decision, so nothing that it does may lose an edit
 * (L1) or stop sync (L6): unless it returns a clear decision, the conflict is left to people.
 */
import { describe } from "../shared/errors.ts";
import {
  deepEqual,
  deepFreeze,
  faultText,
  isPlainObject,
  type Json,
  type JsonObject,
  jsonFault,
  toJson,
} from "../shared/json.ts";
import { conflictingFields, fieldDifferences } from "./merge.ts";
import { type AnyResolver, sideOf } from "./strategies.ts";

/** The records of a conflict, with `id` in them. `undefined`: that side has deleted it, or has no base. */
export interface ConflictSides {
  readonly base: JsonObject | undefined;
  readonly client: JsonObject | undefined;
  readonly server: JsonObject | undefined;
  /**
   * The fields that both sides changed, as the server's `conflict` result names them. What the records show is added.
   */
  readonly fields: readonly string[];
  /** Fields that no patch may have (counters, server-assigned ones): never in conflict, and always the server's. */
  readonly excluded?: readonly string[] | undefined;
}

/** What becomes of a conflict. */
export type Resolution =
  | { readonly kept: "server" }
  | { readonly kept: "client" }
  /** The whole record, with `id`. It differs from the server's, and not only in `excluded` fields. */
  | { readonly kept: "merged"; readonly record: JsonObject }
  /** `fault`: what the resolver threw, or an error that says what it returned; the caller reports it. */
  | { readonly kept: "manual"; readonly fault?: unknown };

/**
 * Decides a conflict. If one side is deleted, the resolver can't be called, since it needs records; its strategy
 * decides: `serverWins` keeps the server's side, `clientWins` and `lastWriteWins` the client's, `mergeFields` its
 * `otherwise`; `manual` and other functions leave it to people. If both sides have become equal, the resolver is not
 * called.
 */
export function runResolver(resolver: AnyResolver, sides: ConflictSides): Resolution {
  const { base, client, server, excluded = [] } = sides;
  if (client === undefined || server === undefined) return { kept: sideOf(resolver) };
  if (fieldDifferences(base, client, server, excluded).length === 0) return { kept: "server" };
  const fields = conflictingFields(base, client, server, sides.fields, excluded);
  // Frozen copies: a resolver that edits its argument would edit the stored rows.
  const conflict = deepFreeze({ base: base && toJson(base), client: toJson(client), server: toJson(server), fields });
  try {
    return readDecision(resolver(conflict), server, excluded);
  } catch (fault) {
    return { kept: "manual", fault };
  }
}

function readDecision(returned: unknown, server: JsonObject, excluded: readonly string[]): Resolution {
  if (returned === "server" || returned === "client" || returned === "manual") return { kept: returned };
  if (!isPlainObject(returned)) return unclear(describe(returned));
  if (typeof returned.then === "function") {
    // No code awaits it; its rejection must not become an unhandled one.
    returned.then(undefined, () => {});
    return unclear("a promise");
  }
  const fault = jsonFault(returned, { allowUndefined: true });
  if (fault !== undefined) return unclear(faultText(fault));
  // These members are the server's, and absent if it doesn't have them.
  const record: Record<string, Json> = { ...(toJson(returned) as JsonObject) };
  for (const name of ["id", ...excluded]) {
    delete record[name];
    if (Object.hasOwn(server, name)) record[name] = server[name] as Json;
  }
  // If no edit is left, the operation is closed, and no empty one is made.
  return deepEqual(record, server) ? { kept: "server" } : { kept: "merged", record };
}

function unclear(got: string): Resolution {
  const message =
    `Expected a conflict resolver to return a record, "server", "client" or "manual", got ${got}. ` +
    "The conflict was left to people.";
  return { kept: "manual", fault: new TypeError(message) };
}
