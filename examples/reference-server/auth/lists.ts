/** The owner's lists, part by part: how long they are is not up to the owner, because whoever signs in registers a till. */
import { ProblemError } from "../problem.ts";
import type { Page } from "./auth-store.ts";

const PAGE_SIZE = 200;
/** An email address has at most 254 characters. */
const MAX_AFTER = 254;

export interface Part<T> {
  readonly rows: readonly T[];
  /** Where the next part begins: the `after` to ask for. `undefined`: this was the last. */
  readonly next: string | undefined;
}

/** @throws ProblemError `malformed` */
export async function partOf<T>(
  read: (page: Page) => Promise<readonly T[]>,
  after: string,
  keyOf: (row: T) => string,
): Promise<Part<T>> {
  if (after.length > MAX_AFTER || /\p{Cc}|\p{Cs}/u.test(after)) {
    throw new ProblemError("malformed", "after: Expected the `next` of the page before");
  }
  // One more than is shown, to know whether there is more.
  const found = await read({ after, limit: PAGE_SIZE + 1 });
  const rows = found.slice(0, PAGE_SIZE);
  const last = rows.at(-1);
  return { rows, next: found.length > rows.length && last !== undefined ? keyOf(last) : undefined };
}
