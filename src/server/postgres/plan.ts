/** What to ask PostgreSQL for a read of the port, and what to make of the rows. */
import type { Fields, Statement } from "./connection.ts";

export interface Plan {
  /** None: the answer is known without asking. */
  readonly statements: readonly Statement[];
  /** Is given the rows of each statement. */
  readonly answer: (rows: readonly (readonly Fields[])[]) => unknown;
}
