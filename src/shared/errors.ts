/**
 * The one error class of the package, and the list of its codes.
 *
 * Errors are thrown for what the caller can fix. A server's verdict and a network failure are data, never thrown.
 * This file imports no schema: an error class that shares a module with a zod schema brings zod into each bundle that
 * only needs `isTillSyncError`.
 */

/** What each code carries in `details`. The codes are stable: `switch (error.code)` narrows `error.details`. */
export interface ErrorDetails {
  /**
   * An option is missing, misspelt, or has a value that it can't have. `option`: its name or path. `expected`: what it
   * must be. `received`: what it is, without a shop's data. `hint`: what to write instead. The message has all four.
   */
  invalid_option: {
    readonly option: string;
    readonly expected: string;
    readonly received: string;
    readonly hint: string;
  };
  /**
   * The schema refuses a record of `collection`, or a change touches a field that it may not. `id`: the record's, if it
   * has one yet. `issues`: what is wrong where, for the fields of a form.
   */
  validation_failed: {
    readonly collection: string;
    readonly id: string | undefined;
    readonly issues: readonly ErrorIssue[];
  };
  /** The schema of `collection` returned a promise. */
  schema_async: { readonly collection: string };
  /** A query of `collection` names no index of it, or asks for what the index can't do. */
  invalid_query: { readonly collection: string; readonly expected: string; readonly hint: string };
  /** A value can't be stored as JSON without a change. `path`: where in the record, as in code: `items[0].price`. */
  not_json: { readonly collection: string; readonly path: string };
  /** There is no such record on this device, or no such row in a snapshot. */
  not_found: { readonly collection: string; readonly id: string };
  /**
   * A newer app, or a newer server, wrote the record with a schema that this app does not know. Update the app.
   */
  schema_newer: { readonly collection: string; readonly id: string };
  /** Operations of this collection are in the store, and the app does not have it. */
  unknown_collection: { readonly collection: string };
  /** A record with this id exists on this device. */
  already_exists: { readonly collection: string; readonly id: string };
  /** Other writes changed what the transaction read, in each of its runs. */
  transaction_contended: { readonly runs: number };
  /** The function of a transaction wrote through the client, and not through its argument. Nothing was stored. */
  transaction_bypassed: Readonly<Record<never, never>>;
  /** A read or a write after the transaction had ended. */
  transaction_finished: { readonly transaction: string };
  /**
   * The writes could never be sent; nothing was stored. `operations`, `bytes`: how many there are, and their size in
   * UTF-8. `maxOperations`, `maxBytes`: how many there may be.
   */
  transaction_too_large: {
    readonly operations: number;
    readonly bytes: number;
    readonly maxOperations: number;
    readonly maxBytes: number;
  };
  /** Reserved: nothing throws it yet. Work that the server doesn't have would be destroyed. */
  unsynced_work: { readonly count: number; readonly operationIds: readonly string[] };
  /** A retry, an amendment or a discard of an operation whose `state` doesn't allow it. */
  operation_not_rejected: { readonly operationId: string; readonly state: string };
  /** The conflict was settled before, on this device or elsewhere. */
  conflict_settled: { readonly conflictId: string };
  /**
   * The store can't be opened, failed, or doesn't answer. `adapter`: its kind, such as `indexeddb`.
   * If a write fails with it, it is not known whether the write was stored.
   */
  storage_unavailable: { readonly adapter: string };
  /** There is no room; nothing of this write was stored. In bytes; `undefined` if the platform doesn't say. */
  storage_full: { readonly usedBytes: number | undefined; readonly quotaBytes: number | undefined };
  /** Stored data can't be read. `table`: where, for a support ticket. */
  storage_corrupt: { readonly table: string };
  /**
   * A newer version wrote the store: its format is `stored`, this version reads up to `supported`. Nothing was changed.
   */
  storage_newer: { readonly stored: number; readonly supported: number };
  /** A call after `close()`. */
  client_closed: Readonly<Record<never, never>>;
  /** A defect of tillsync, or of a function that it was given; `cause` has the error, if there is one. */
  internal: Readonly<Record<never, never>>;
}

/** One finding of a schema, in the shape of Standard Schema v1. */
export interface ErrorIssue {
  /** For people. */
  readonly message: string;
  /** The keys that lead to the value, from the record downwards; absent or empty for the record as a whole. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The code of an error. docs/errors.md says what each means, and what to do. */
export type ErrorCode = keyof ErrorDetails;

/** An error of any code, as a union: comparing `code` narrows `details`. */
export type AnyTillSyncError = { [K in ErrorCode]: TillSyncError<K> }[ErrorCode];

/**
 * An error with a stable `code`, a message for people, and typed `details`. The message says what was expected, what
 * was received and what to do. `cause` is the error that led to this one, if there is one.
 */
export class TillSyncError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = "TillSyncError" as const;
  /** What went wrong. Stable. */
  readonly code: Code;
  /** The facts of this case; their shape depends on `code`. */
  readonly details: ErrorDetails[Code];

  /** For adapters; apps receive these errors and don't make them. */
  constructor(code: Code, message: string, details: ErrorDetails[Code], options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/**
 * Whether a caught value is an error of this package; with `code`, of that code. It compares the name and not the
 * class, so it also works across realms (iframes, workers) and if two copies of the package are loaded.
 *
 * @example
 * ```ts
 * try {
 *   await till.collections.products.create({ name: "", priceCents: 250 });
 * } catch (error) {
 *   if (!isTillSyncError(error, "validation_failed")) throw error;
 *   for (const { path, message } of error.details.issues) console.log(path, message);
 * }
 * ```
 */
export function isTillSyncError(error: unknown): error is AnyTillSyncError;
export function isTillSyncError<Code extends ErrorCode>(error: unknown, code: Code): error is TillSyncError<Code>;
export function isTillSyncError(error: unknown, code?: ErrorCode): boolean {
  const { name, code: actual } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === "TillSyncError" && typeof actual === "string" && (code === undefined || actual === code);
}

/** A received value for a message: short, and without content that may be a customer's data. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "string")
    return value.length > 60 ? `a string of ${value.length} characters` : JSON.stringify(value);
  if (value === null || /^(number|boolean|undefined)$/.test(typeof value)) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The error for a wrong option, so that all messages have the same form. */
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

/**
 * Throws unless `holds`.
 * @throws TillSyncError `invalid_option`
 */
export function expectOption(
  holds: boolean,
  option: string,
  expected: string,
  received: unknown,
  hint: string,
): asserts holds {
  if (!holds) throw invalidOption(option, expected, received, hint);
}

/** The text of a caught value, for a message: application code may throw anything. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
