/** Assertions without a test framework: the contract suites are published, and run with any framework. */

/** Throws unless `condition` is truthy. `message` continues "Expected". */
export function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Expected ${message}`);
}

/** Compares plain data deeply; -0 differs from 0, and a member that is `undefined` from an absent one. */
export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  if (!isSame(actual, expected)) throw new Error(`Expected ${what} to be ${show(expected)}, got ${show(actual)}`);
}

/** Checks that the promise rejects with this code, and resolves with its reason. */
export async function checkRejects(promise: Promise<unknown>, code: string, what: string): Promise<unknown> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason ?? new Error("rejected with nothing"),
  );
  check(error !== undefined, `${what} to reject with \`${code}\`; it resolved`);
  const actual = (error as { code?: unknown }).code;
  check(actual === code, `${what} to reject with \`${code}\`, got ${String(actual)} (${String(error)})`);
  return error;
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame((a as Fields)[key], (b as Fields)[key]))
  );
}

type Fields = Readonly<Record<string, unknown>>;

export function show(value: unknown): string {
  const text = Object.is(value, -0) ? "-0" : (JSON.stringify(value) ?? String(value));
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
