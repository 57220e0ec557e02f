/** What parsing gives back: the value, or where and why not. No exception: the peer is allowed to be wrong. */
import * as z from "zod/mini";
import type { VerdictIssue } from "./types.ts";

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly VerdictIssue[] };

const MAX_ISSUES = 20;

/**
 * Builds a schema where it is declared. Schemas are constants of modules, and a bundler keeps each call it meets at the top
 * of a module: `/* @__PURE__ *\/ define(() => …)` is one call that it may drop with everything inside.
 */
export function define<S>(make: () => S): S {
  return make();
}

/** `T` is the hand-written type of the message; `schema` must accept nothing else. The tests of each message hold the two together. */
export function parseWith<T>(schema: z.ZodMiniType<T>, value: unknown): Parsed<T> {
  const result = z.safeParse(schema, value);
  if (result.success) return { ok: true, value: result.data };
  return {
    ok: false,
    issues: result.error.issues
      .slice(0, MAX_ISSUES)
      .map((issue) => ({ path: issue.path.map(String).join("."), message: explain(issue) })),
  };
}

/**
 * Said here, and not by zod's texts: those are settings of a global that the host application shares with us, in the
 * language that it chose.
 */
function explain(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "custom":
    case "invalid_format":
      return issue.message;
    case "invalid_type":
      return issue.input === undefined ? "Missing" : `Expected ${issue.expected}`;
    case "unrecognized_keys":
      return `Unknown members: ${issue.keys.slice(0, 5).map(shortened).join(", ")}`;
    case "too_small":
      return `Expected at least ${issue.minimum}`;
    case "too_big":
      return `Expected at most ${issue.maximum}`;
    case "invalid_value":
      return `Expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "invalid_key":
      return "Not a name";
    default:
      return "None of the forms that are allowed here";
  }
}

/** A name that the peer chose, in a message that may end in a log. */
function shortened(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}
