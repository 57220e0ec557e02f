/**
 * The one error class of the package and the list of its codes.
 *
 * Thrown for what the caller can mend. A server's verdict and a network failure are data, never thrown.
 * Kept apart from every schema: an error class that shares a module with a zod schema drags zod into each
 * bundle that only wants `isTillSyncError`.
 */

/** What each code carries in `details`. The codes are stable: `switch (error.code)` narrows `error.details`. */
export interface ErrorDetails {
  invalid_option: {
    readonly option: string;
    readonly expected: string;
    readonly received: string;
    readonly hint: string;
  };
  validation_failed: {
    readonly collection: string;
    readonly id: string | undefined;
    readonly issues: readonly ErrorIssue[];
  };
  schema_async: { readonly collection: string };
  invalid_query: { readonly collection: string; readonly expected: string; readonly hint: string };
  not_json: { readonly collection: string; readonly path: string };
  not_found: { readonly collection: string; readonly id: string };
  already_exists: { readonly collection: string; readonly id: string };
  transaction_contended: { readonly runs: number };
  transaction_finished: { readonly transaction: string };
  transaction_too_large: {
    readonly operations: number;
    readonly bytes: number;
    readonly maxOperations: number;
    readonly maxBytes: number;
  };
  unsynced_work: { readonly count: number; readonly operationIds: readonly string[] };
  operation_not_rejected: { readonly operationId: string; readonly state: string };
  conflict_settled: { readonly conflictId: string };
  storage_unavailable: { readonly adapter: string };
  storage_full: { readonly usedBytes: number | undefined; readonly quotaBytes: number | undefined };
  storage_corrupt: { readonly table: string };
  storage_newer: { readonly stored: number; readonly supported: number };
  client_closed: Readonly<Record<never, never>>;
  internal: Readonly<Record<never, never>>;
}

/** One finding of a schema, in the shape of Standard Schema v1. */
export interface ErrorIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export type ErrorCode = keyof ErrorDetails;

/** Any error of the package, as a union that `code` narrows. */
export type AnyTillSyncError = { [K in ErrorCode]: TillSyncError<K> }[ErrorCode];

/**
 * An error with a stable `code`, a message that says what was expected, what came and what to do,
 * typed `details`, and the `cause` where another error lies beneath.
 */
export class TillSyncError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = "TillSyncError" as const;
  readonly code: Code;
  readonly details: ErrorDetails[Code];

  constructor(code: Code, message: string, details: ErrorDetails[Code], options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/**
 * Whether a caught value is an error of this package, optionally of one code. Compares the name and not the class:
 * it must also hold across realms (iframes, workers) and when two copies of the package are loaded.
 */
export function isTillSyncError(error: unknown): error is AnyTillSyncError;
export function isTillSyncError<Code extends ErrorCode>(error: unknown, code: Code): error is TillSyncError<Code>;
export function isTillSyncError(error: unknown, code?: ErrorCode): boolean {
  const { name, code: actual } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === "TillSyncError" && typeof actual === "string" && (code === undefined || actual === code);
}

/** How a received value reads in a message: short, without its content where that may be a customer's data. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "string")
    return value.length > 60 ? `a string of ${value.length} characters` : JSON.stringify(value);
  if (value === null || /^(number|boolean|undefined)$/.test(typeof value)) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The one way to refuse an option: every message reads the same. */
export function invalidOption(
  option: string,
  expected: string,
  received: unknown,
  hint: string,
): TillSyncError<"invalid_option"> {
  const shown = describe(received);
  return new TillSyncError("invalid_option", `Expected \`${option}\` to be ${expected}, got ${shown}. ${hint}`, {
    option,
    expected,
    received: shown,
    hint,
  });
}

/** Refuses the option unless `holds`. @throws TillSyncError `invalid_option` */
export function expectOption(
  holds: boolean,
  option: string,
  expected: string,
  received: unknown,
  hint: string,
): asserts holds {
  if (!holds) throw invalidOption(option, expected, received, hint);
}

/** What a caught value says, for a message: application code throws all sorts of things. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
