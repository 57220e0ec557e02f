/**
 * An application's policy threw, or returned what no policy may return.
 *
 * Thrown inside a decision and caught in evaluate.ts, which judges one operation: a fact is then quarantined (L11), an
 * edit is retried later. The till caused neither, so neither is refused for good.
 */
import { messageOf } from "../../../shared/errors.ts";

export class PolicyFailure extends Error {
  override readonly name = "PolicyFailure";
  readonly collection: string;
  readonly member: string;

  constructor(collection: string, member: string, cause: unknown) {
    super(`The policy of \`${collection}\` failed in \`${member}\`: ${messageOf(cause)}`, { cause });
    this.collection = collection;
    this.member = member;
  }
}
