/** Holds a record against its schema. One reading of the schema's answer, two ways to tell the caller. (schema) */

import { TillSyncError } from "../shared/errors.ts";
import type { JsonFault, JsonObject } from "../shared/json.ts";
import { jsonFault, toJson } from "../shared/json.ts";
import type { ResolvedCollection } from "./resolved.ts";
import type { SchemaIssue, SchemaResult } from "./standard-schema.ts";

type Verdict =
  | { readonly outcome: "valid"; readonly data: JsonObject }
  | { readonly outcome: "invalid"; readonly issues: readonly SchemaIssue[]; readonly cause?: unknown }
  | { readonly outcome: "not_json"; readonly fault: JsonFault };

export type RecordCheck =
  | { readonly ok: true; readonly data: JsonObject }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

/**
 * The record as it is to be stored: what the schema put out, as plain JSON, without `id`. The schema always gets
 * `{ ...data, id }`, whether it declares `id` or not.
 *
 * @throws TillSyncError `validation_failed` with the schema's issues, `not_json`, `schema_async`
 */
export function validateRecord(name: string, resolved: ResolvedCollection, id: string, data: object): JsonObject {
  const verdict = judge(name, resolved, id, data);
  switch (verdict.outcome) {
    case "valid":
      return verdict.data;
    case "invalid": {
      const first = verdict.issues[0];
      const found = first === undefined ? "it said no and gave no issue" : issueText(first);
      const more = verdict.issues.length > 1 ? ` (and ${verdict.issues.length - 1} more, in \`details.issues\`)` : "";
      throw new TillSyncError(
        "validation_failed",
        `Expected a record of \`${name}\` that its schema accepts: ${found}${more}. Nothing was written.`,
        { collection: name, id, issues: verdict.issues },
        "cause" in verdict ? { cause: verdict.cause } : undefined,
      );
    }
    case "not_json": {
      const { path, reason } = verdict.fault;
      throw new TillSyncError(
        "not_json",
        `Expected the schema of \`${name}\` to put out JSON, got ${reason}${path === "" ? "" : ` at \`${path}\``}. ` +
          "Store a Date as a number of milliseconds or an ISO string, a bigint as a string. Nothing was written.",
        { collection: name, path },
      );
    }
  }
}

/**
 * The same for a server, which answers with issues instead of throwing. A schema that throws is an issue of this record:
 * one record that a schema trips over must not fail the whole batch.
 *
 * @throws TillSyncError `schema_async` only: no record of the collection could ever be judged, and a final verdict on
 * each would be worse than none
 */
export function checkRecord(name: string, resolved: ResolvedCollection, id: string, data: object): RecordCheck {
  const verdict = judge(name, resolved, id, data);
  switch (verdict.outcome) {
    case "valid":
      return { ok: true, data: verdict.data };
    case "invalid":
      return { ok: false, issues: verdict.issues };
    case "not_json":
      return {
        ok: false,
        issues: [{ message: `Expected JSON, got ${verdict.fault.reason}`, path: verdict.fault.segments }],
      };
  }
}

function judge(name: string, resolved: ResolvedCollection, id: string, data: object): Verdict {
  // Spread defines members, it doesn't assign them: an own `__proto__` from `JSON.parse` stays harmless.
  const record = { ...data, id };
  let result: SchemaResult<unknown> | Promise<unknown>;
  try {
    result = resolved.schema["~standard"].validate(record);
  } catch (cause) {
    return threw(cause);
  }
  if (!isThenable(result)) {
    return result.issues === undefined ? judgeOutput(id, result.value) : { outcome: "invalid", issues: result.issues };
  }
  // Nobody waits for it, so its rejection must not surface as an unhandled one.
  result.then(undefined, () => {});
  const trip = zodThrew(resolved.schema, record);
  if (trip === undefined) throw asyncSchema(name);
  return threw(trip.cause);
}

function threw(cause: unknown): Verdict {
  const text = cause instanceof Error ? cause.message : String(cause);
  return { outcome: "invalid", issues: [{ message: `the schema threw: ${text}` }], cause };
}

/**
 * Whatever throws inside a schema of zod, its `~standard` answers a promise, as if the schema were asynchronous. One record
 * that a refinement trips over would then look like a collection that can't work at all; `safeParse` tells the two apart.
 */
function zodThrew(schema: object, record: object): { readonly cause: unknown } | undefined {
  const { safeParse } = schema as { safeParse?: unknown };
  if (typeof safeParse !== "function") return undefined;
  try {
    safeParse.call(schema, record);
  } catch (cause) {
    // What zod 3 and 4 throw when they meet a promise says so in these words.
    return cause instanceof Error && /synchronous parse/.test(cause.message) ? undefined : { cause };
  }
  return undefined;
}

function judgeOutput(id: string, output: unknown): Verdict {
  const fault = jsonFault(output, { allowUndefined: true });
  if (fault !== undefined) return { outcome: "not_json", fault };
  const record = toJson(output);
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    return { outcome: "not_json", fault: { path: "", segments: [], reason: "something else than an object" } };
  }
  const { id: idAfter, ...stored } = record as JsonObject;
  if (idAfter !== undefined && idAfter !== id) {
    const message = "the schema must leave the id as it is: it names the record on the till and on the server";
    return { outcome: "invalid", issues: [{ message, path: ["id"] }] };
  }
  return { outcome: "valid", data: stored };
}

function isThenable(value: SchemaResult<unknown> | Promise<unknown>): value is Promise<unknown> {
  // Not `instanceof Promise`: the schema may live in another realm.
  return typeof (value as { then?: unknown }).then === "function";
}

function asyncSchema(name: string): TillSyncError<"schema_async"> {
  return new TillSyncError(
    "schema_async",
    `Expected the schema of \`${name}\` to answer at once, got a promise. A write is validated inside one synchronous step: ` +
      "take asynchronous refinements and transforms out of the schema, and check such things before the write or in a server policy.",
    { collection: name },
  );
}

function issueText({ message, path = [] }: SchemaIssue): string {
  const place = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return place === "" ? message : `\`${place}\`: ${message}`;
}
