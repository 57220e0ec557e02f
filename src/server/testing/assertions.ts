/** The few assertions that the contract needs: it is published, and its users choose their own test framework. */
import { canonicalJson, deepEqual, type Json, type JsonObject } from "../../shared/json.ts";

export function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`The store breaks its contract: ${what}`);
}

/** Deep equality of JSON: a member that is `undefined` counts as absent. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (deepEqual(actual as Json, expected as Json)) return;
  check(false, `${what}: expected ${show(expected)}, got ${show(actual)}`);
}

/** The same rows, in any order. */
export function sameRows(actual: readonly object[], expected: readonly object[], what: string): void {
  const sorted = (rows: readonly object[]) => rows.map((row) => canonicalJson({ ...row } as JsonObject)).sort();
  equal(sorted(actual), sorted(expected), what);
}

export async function rejects(call: Promise<unknown>, what: string): Promise<unknown> {
  const outcome = await call.then(
    () => ({ resolved: true as const }),
    (reason: unknown) => ({ resolved: false as const, reason }),
  );
  if (outcome.resolved) throw new Error(`The store breaks its contract: ${what}: expected a rejection`);
  return outcome.reason;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 600 ? `${text.slice(0, 600)}… (${text.length} characters)` : text;
}
