/**
 * Asks a collection's resolver, whatever it is. Application code runs here inside a decision, so nothing that it does
 * may lose an edit (L1) or stop sync (L6): whatever is not a clear answer leaves the conflict to people.
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

/** The records of a conflict, with `id` in them. `undefined`: deleted on that side. */
export interface ConflictSides {
  readonly base: JsonObject | undefined;
  readonly client: JsonObject | undefined;
  readonly server: JsonObject | undefined;
  /** The fields both sides changed, as the server's `conflict` result names them. What the records show beyond that is added. */
  readonly fields: readonly string[];
  /** Fields that no patch may carry (counters, assigned ones): never in conflict, and always the server's in the answer. */
  readonly excluded?: readonly string[] | undefined;
}

export type Resolution =
  | { readonly kept: "server" }
  | { readonly kept: "client" }
  /** The whole record, with `id`. Differs from the server's, and not only in `excluded` fields. */
  | { readonly kept: "merged"; readonly record: JsonObject }
  /** `fault`: what the resolver threw, or an error that says what it answered; to be reported as an `error` event. */
  | { readonly kept: "manual"; readonly fault?: unknown };

/**
 * Where a side is deleted, no resolver can be called (its contract has records) and its strategy decides: `serverWins` and
 * `clientWins` as they say, `lastWriteWins` the client, `mergeFields` its `otherwise`, `manual` and functions people.
 * Where both sides have come to say the same there is nothing to ask.
 */
export function runResolver(resolver: AnyResolver, sides: ConflictSides): Resolution {
  const { base, client, server, excluded = [] } = sides;
  if (client === undefined || server === undefined) return { kept: sideOf(resolver) };
  if (fieldDifferences(base, client, server, excluded).length === 0) return { kept: "server" };
  const fields = conflictingFields(base, client, server, sides.fields, excluded);
  // Copies that can't be written to: a resolver that edits its arguments would edit the stored rows.
  const conflict = deepFreeze({ base: base && toJson(base), client: toJson(client), server: toJson(server), fields });
  try {
    return readAnswer(resolver(conflict), server, excluded);
  } catch (fault) {
    return { kept: "manual", fault };
  }
}

function readAnswer(answer: unknown, server: JsonObject, excluded: readonly string[]): Resolution {
  if (answer === "server" || answer === "client" || answer === "manual") return { kept: answer };
  if (!isPlainObject(answer)) return unclear(describe(answer));
  if (typeof answer.then === "function") {
    // Nobody waits for it: its rejection must not surface as an unhandled one.
    answer.then(undefined, () => {});
    return unclear("a promise");
  }
  const fault = jsonFault(answer, { allowUndefined: true });
  if (fault !== undefined) return unclear(faultText(fault));
  // The named members are the server's, whether it has them or not.
  const record: Record<string, Json> = { ...(toJson(answer) as JsonObject) };
  for (const name of ["id", ...excluded]) {
    delete record[name];
    if (Object.hasOwn(server, name)) record[name] = server[name] as Json;
  }
  // No edit is left over: the old operation is closed, and no empty one is made.
  return deepEqual(record, server) ? { kept: "server" } : { kept: "merged", record };
}

function unclear(got: string): Resolution {
  const message = `Expected a conflict resolver to answer a record, "server", "client" or "manual", got ${got}. It was left to people.`;
  return { kept: "manual", fault: new TypeError(message) };
}
