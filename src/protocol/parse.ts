/** What parsing returns: the value, or what is wrong where. It throws nothing: a peer may send anything. */
import * as z from "zod/mini";
import type { VerdictIssue } from "./types.ts";

/** A checked message, or what is wrong with it. */
export type Parsed<T> =
  /** `value`: the message. */
  | { readonly ok: true; readonly value: T }
  /** `issues`: what is wrong with it, 1 to 20 findings. */
  | { readonly ok: false; readonly issues: readonly VerdictIssue[] };

const MAX_ISSUES = 20;

/**
 * Builds a schema in its declaration. A bundler keeps every call at the top level of a module, unless it is marked:
 * `/* @__PURE__ *\/ define(() => …)` is one call that it may drop with everything inside.
 */
export function define<S>(make: () => S): S {
  return make();
}

/**
 * `T` is the hand-written type of the message. `schema` must accept nothing else: test/protocol/types.test.ts compares
 * them.
 */
export function parseWith<T>(schema: z.ZodMiniType<T>, value: unknown): Parsed<T> {
  // Without its input, an issue can't say whether a member is missing or of another kind.
  const result = z.safeParse(schema, value, { reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return {
    ok: false,
    issues: result.error.issues
      .slice(0, MAX_ISSUES)
      .map((issue) => ({ path: issue.path.map(String).join("."), message: explain(issue) })),
  };
}

/**
 * The texts are ours and not zod's: zod's depend on a global setting that the host application shares, and may be in
 * any language.
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

/** Shortens a name that the peer chose: the message may be logged. */
function shortened(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}
