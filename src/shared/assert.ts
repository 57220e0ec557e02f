/** Assertions that stay on in production: a broken invariant must stop the step in which it is found. */
import { TillSyncError } from "./errors.ts";

const REPORT = "This is a defect in tillsync; please report it.";

/**
 * Throws unless `condition` is truthy.
 * @throws TillSyncError `internal`: a defect of tillsync, never of its caller
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new TillSyncError("internal", `Broken invariant: ${message}. ${REPORT}`, {});
}

/** For the `default` of an exhaustive switch: a variant that is added later fails to compile. */
export function unreachable(value: never): never {
  throw new TillSyncError("internal", `Unexpected variant ${JSON.stringify(value)}. ${REPORT}`, {});
}
