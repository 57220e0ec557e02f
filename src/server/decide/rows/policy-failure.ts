/** An application's policy that threw, or answered what no policy may. */

/**
 * Thrown inside a decision and caught where the one operation is judged: a fact is then quarantined (L11), an edit sent again
 * later. Neither is the till's fault, so neither is refused for good.
 */
export class PolicyFailure extends Error {
  override readonly name = "PolicyFailure";
  readonly collection: string;
  readonly member: string;

  constructor(collection: string, member: string, cause: unknown) {
    super(
      `The policy of \`${collection}\` failed in \`${member}\`: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
    this.collection = collection;
    this.member = member;
  }
}
