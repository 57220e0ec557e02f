/** Checks a record against its schema: one reading of the schema's result, and two ways to report it. */
import { messageOf, TillSyncError } from "../shared/errors.ts";
import { faultText, isPlainObject, type JsonFault, type JsonObject, jsonFault, toJson } from "../shared/json.ts";
import { acceptedCounters, keyOf } from "./counters.ts";
import type { ResolvedCollection } from "./resolved.ts";
import type { SchemaIssue, SchemaResult, StandardSchemaV1 } from "./standard-schema.ts";

interface Invalid {
  readonly ok: false;
  readonly issues: readonly SchemaIssue[];
  /** The error that the schema threw. */
  readonly cause?: unknown;
  /** Why the output is no JSON. */
  readonly fault?: JsonFault;
}

interface Valid {
  readonly ok: true;
  readonly data: JsonObject;
}
type Verdict = Valid | Invalid;

export type RecordCheck = Valid | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

// A strict schema refuses it, and an ordinary one ignores it. An identifier: some libraries quote other names.
const UNDECLARED = "tillsync_undeclared";

/**
 * The record to store: the schema's output as plain JSON, without `id`. A schema that declares `id` checks it; a strict
 * schema may leave it out.
 *
 * @throws TillSyncError `validation_failed` with the schema's issues, `not_json`, `schema_async`
 */
export function validateRecord(name: string, resolved: ResolvedCollection, id: string, data: object): JsonObject {
  return dataOf(name, id, judge(name, resolved, id, data));
}

/**
 * The same for the record that an edit results in. Its counters are not part of the edit: see {@link checkRecord}. Of
 * the data that is returned, only the fields of the edit are of use.
 *
 * @throws TillSyncError as `validateRecord`
 */
export function validateEdited(name: string, resolved: ResolvedCollection, id: string, data: object): JsonObject {
  return dataOf(name, id, judgeFields(name, resolved, id, data));
}

function dataOf(name: string, id: string, verdict: Verdict): JsonObject {
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
 * The same for a server, which returns issues instead of throwing. If the schema throws, that is an issue of this
 * record: one record on which a schema throws must not fail the whole batch.
 *
 * No change that reaches a server sets a counter, and steps are never refused, so counters may be outside of the
 * schema's bounds: the record is accepted if the schema accepts it with any values that it accepts for its counters
 * [H4]. The counters in the data that is returned may be those values.
 *
 * @throws TillSyncError `schema_async` only: no record of the collection could ever be checked, so a final verdict on
 * each would be wrong
 */
export function checkRecord(name: string, resolved: ResolvedCollection, id: string, data: object): RecordCheck {
  const verdict = judgeFields(name, resolved, id, data);
  return verdict.ok ? verdict : { ok: false, issues: verdict.issues };
}

/** Judges what does not concern counters: with the counters as they are, or as the schema accepts them. */
function judgeFields(name: string, resolved: ResolvedCollection, id: string, data: object): Verdict {
  const asItIs = judge(name, resolved, id, data);
  const { counters } = resolved;
  if (asItIs.ok || counters.length === 0) return asItIs;
  const ownIssues = ({ issues }: Invalid) => issues.filter(({ path }) => !counters.includes(String(keyOf(path?.[0]))));
  let fewest = ownIssues(asItIs);
  for (const values of acceptedCounters(resolved)) {
    const verdict = judge(name, resolved, id, { ...data, ...values });
    if (verdict.ok) return verdict;
    const own = ownIssues(verdict);
    // A rule over the whole record may be broken with some counters only: the edit did not break it.
    if (fewest.length === 0 || (own.length > 0 && own.length < fewest.length)) fewest = own;
  }
  return fewest.length === 0 ? asItIs : { ...asItIs, issues: fewest };
}

/**
 * Standard Schema can't be asked whether a schema declares `id`, so a refused record is checked again with an `id` that
 * can be read but isn't among the keys: a strict schema looks at the keys. That verdict holds only if the schema says
 * of `id` what it says of a key that no schema declares. Otherwise it declares `id`, and may have lost the hidden one
 * when it copied the record.
 */
function judge(name: string, { schema }: ResolvedCollection, id: string, data: object): Verdict {
  const verdict = judgeRecord(name, schema, id, { ...data, id });
  if (verdict.ok) return verdict;
  const withHiddenId = (more?: object) =>
    judgeRecord(name, schema, id, Object.defineProperty({ ...data, ...more, id }, "id", { enumerable: false }));
  const probe = withHiddenId({ [UNDECLARED]: id });
  return issuesText(probe).replaceAll(UNDECLARED, "id") === issuesText(verdict) ? withHiddenId() : verdict;
}

function judgeRecord(name: string, schema: StandardSchemaV1, id: string, record: object): Verdict {
  let result: SchemaResult<unknown> | Promise<unknown> | undefined;
  try {
    result = schema["~standard"].validate(record);
    // Not `instanceof Promise`: the schema may live in another realm.
    if ("then" in result) {
      // No code awaits it; its rejection must not become an unhandled one.
      result.then(undefined, () => {});
      // If a refinement throws inside a zod schema, `~standard.validate` returns a promise, as if the schema were
      // asynchronous. `safeParse` throws the refinement's error instead, which concerns this record only.
      (schema as { safeParse?(record: object): unknown }).safeParse?.(record);
    }
  } catch (cause) {
    // The error that zod 3 and 4 throw if the schema is asynchronous contains these words.
    if (!/synchronous parse/.test(messageOf(cause)))
      return { ok: false, issues: [{ message: `the schema threw: ${messageOf(cause)}` }], cause };
  }
  if (result === undefined || "then" in result) {
    throw new TillSyncError(
      "schema_async",
      `Expected the schema of \`${name}\` to return its result, got a promise. ` +
        "Check what takes time before the write, or in a server policy.",
      { collection: name },
    );
  }
  return result.issues === undefined ? judgeOutput(id, result.value) : { ok: false, issues: result.issues };
}

function judgeOutput(id: string, output: unknown): Verdict {
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

function issuesText(verdict: Verdict): string {
  return verdict.ok ? "" : verdict.issues.map(issueText).join("\n");
}

function issueText({ message, path = [] }: SchemaIssue = { message: "it gave no reason" }): string {
  const place = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return place === "" ? message : `\`${place}\`: ${message}`;
}
