/** Holds a record against its schema. One reading of the schema's answer, two ways to tell the caller. */
import { messageOf, TillSyncError } from "../shared/errors.ts";
import { faultText, isPlainObject, type JsonFault, type JsonObject, jsonFault, toJson } from "../shared/json.ts";
import type { ResolvedCollection } from "./resolved.ts";
import type { SchemaIssue, SchemaResult } from "./standard-schema.ts";

interface Invalid {
  readonly ok: false;
  readonly issues: readonly SchemaIssue[];
  /** What the schema threw. */
  readonly cause?: unknown;
  /** Why what it put out is no JSON. */
  readonly fault?: JsonFault;
}

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
  if (verdict.ok) return verdict.data;
  const { issues, fault, ...rest } = verdict;
  if (fault !== undefined) {
    throw new TillSyncError(
      "not_json",
      `Expected the schema of \`${name}\` to put out JSON, got ${faultText(fault)}. ` +
        "Store a Date as a number or an ISO string, a bigint as a string. Nothing was written.",
      { collection: name, path: fault.path },
    );
  }
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more, in \`details.issues\`)` : "";
  throw new TillSyncError(
    "validation_failed",
    `Expected a record of \`${name}\` that its schema accepts: ${issueText(issues[0])}${more}. Nothing was written.`,
    { collection: name, id, issues },
    rest,
  );
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
  return verdict.ok ? verdict : { ok: false, issues: verdict.issues };
}

function judge(
  name: string,
  { schema }: ResolvedCollection,
  id: string,
  data: object,
): Invalid | (RecordCheck & { ok: true }) {
  // Spread defines members, it doesn't assign them: an own `__proto__` from `JSON.parse` stays harmless.
  const record = { ...data, id };
  let result: SchemaResult<unknown> | Promise<unknown> | undefined;
  try {
    result = schema["~standard"].validate(record);
    // Not `instanceof Promise`: the schema may live in another realm.
    if ("then" in result) {
      // Nobody waits for it, so its rejection must not surface as an unhandled one.
      result.then(undefined, () => {});
      // Whatever throws inside a schema of zod, its `~standard` answers a promise, as if the schema were asynchronous. One
      // record that a refinement trips over would then look like a collection that can't work at all; this tells them apart.
      (schema as { safeParse?(record: object): unknown }).safeParse?.(record);
    }
  } catch (cause) {
    // What zod 3 and 4 throw when they meet a promise says so in these words.
    if (!/synchronous parse/.test(messageOf(cause)))
      return { ok: false, issues: [{ message: `the schema threw: ${messageOf(cause)}` }], cause };
  }
  if (result === undefined || "then" in result) {
    throw new TillSyncError(
      "schema_async",
      `Expected the schema of \`${name}\` to answer at once, got a promise. ` +
        "Check what takes time before the write, or in a server policy.",
      { collection: name },
    );
  }
  return result.issues === undefined ? judgeOutput(id, result.value) : { ok: false, issues: result.issues };
}

function judgeOutput(id: string, output: unknown): ReturnType<typeof judge> {
  const fault = isPlainObject(output)
    ? jsonFault(output, { allowUndefined: true })
    : { path: "", segments: [], reason: "something else than an object" };
  if (fault !== undefined) {
    return { ok: false, issues: [{ message: `Expected JSON, got ${fault.reason}`, path: fault.segments }], fault };
  }
  const { id: idAfter = id, ...stored } = toJson(output) as JsonObject;
  if (idAfter === id) return { ok: true, data: stored };
  const message = "the schema must leave the id as it is: it names the record on the till and on the server";
  return { ok: false, issues: [{ message, path: ["id"] }] };
}

function issueText({ message, path = [] }: SchemaIssue = { message: "it gave no reason" }): string {
  const place = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return place === "" ? message : `\`${place}\`: ${message}`;
}
