/**
 * A row was written by a newer version of the server, with a schema that this one does not know [H7].
 *
 * Thrown inside a decision and caught in evaluate.ts: whatever needs the row is put off until the server is updated
 * again. Nothing of it is judged by a schema that it was not written for.
 */
export class NewerRow extends Error {
  override readonly name = "NewerRow";
  readonly collection: string;

  constructor(collection: string, id: string, stored: number, supported: number) {
    super(
      `Expected row \`${id}\` of \`${collection}\` in schema version ${supported} or older, got ${stored}. ` +
        "A newer version of the server has written it: update this one.",
    );
    this.collection = collection;
  }
}
