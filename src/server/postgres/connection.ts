/**
 * One connection: any number of statements in one round trip.
 *
 * `pg` waits for the result of each statement before it sends the next. Here they are sent together, with one Sync
 * after the last: PostgreSQL runs them in order, and if one fails it skips the rest, including a `commit` at the end.
 * Each is prepared once per connection. Rows arrive as the text of their columns, which the tables decode.
 */
import { type Deferred, deferred } from "../../shared/deferred.ts";
import type { PgClient, PgSubmittable, PgWire } from "./driver.ts";
import { ConnectionLost, isRefusal, isServerError } from "./errors.ts";

/** A statement with the text of its parameters ($1, $2, …). */
export interface Statement {
  readonly text: string;
  readonly values: readonly (string | null)[];
}

const ROLLBACK: Statement = { text: "rollback", values: [] };

/** A row: its columns in the order in which they were selected. */
export type Fields = readonly (string | null)[];

/** The rows of each statement of a batch, in order. */
export type Rows = readonly (readonly Fields[])[];

/** A read of the port: the statements to run, and what their rows mean. */
export interface ReadPlan {
  /** Empty: the answer is known without a statement. */
  readonly statements: readonly Statement[];
  /** Makes the read's answer from the rows of `statements`. */
  readonly decode: (rows: Rows) => unknown;
}

export class Connection {
  readonly #client: PgClient;
  readonly #prepared = new Set<string>();
  #broken = false;

  constructor(client: PgClient) {
    this.#client = client;
  }

  /**
   * It was lost, or a transaction on it could not be ended. Close it: nothing else is certain to end the transaction.
   */
  get broken(): boolean {
    return this.#broken;
  }

  /** The rows of each statement. Rejects with PostgreSQL's error, or with {@link ConnectionLost}. */
  async run(statements: readonly Statement[]): Promise<Rows> {
    if (statements.length === 0) return [];
    const batch = new Batch(statements, this.#prepared);
    this.#client.query(batch);
    try {
      return await batch.done.promise;
    } catch (error) {
      if (!isRefusal(error)) this.#broken = true;
      throw error;
    }
  }

  /** Ends the transaction after an error. It never rejects: the error that caused the rollback says more. */
  async rollback(): Promise<void> {
    if (this.#broken) return;
    await this.run([ROLLBACK]).catch(() => {
      this.#broken = true;
    });
  }

  /** The rows of one statement. */
  async all(text: string, ...values: (string | null)[]): Promise<readonly Fields[]> {
    const [rows = []] = await this.run([{ text, values }]);
    return rows;
  }

  /** Runs several statements in one text, without preparing them. */
  async script(text: string): Promise<void> {
    try {
      await this.#client.query(text);
    } catch (error) {
      throw isServerError(error) ? error : new ConnectionLost(error);
    }
  }
}

class Batch implements PgSubmittable {
  readonly done: Deferred<Rows> = deferred();
  callback: (error?: unknown) => void = () => {};
  readonly #statements: readonly Statement[];
  readonly #prepared: Set<string>;
  readonly #answers: (readonly Fields[])[] = [];
  #rows: Fields[] = [];

  constructor(statements: readonly Statement[], prepared: Set<string>) {
    this.#statements = statements;
    this.#prepared = prepared;
  }

  submit(wire: PgWire): void {
    wire.stream.cork();
    const sent = new Set<string>();
    for (const { text, values } of this.#statements) {
      const name = nameOf(text);
      if (!this.#prepared.has(name) && !sent.has(name)) {
        // A batch that failed does not say how far it got: this statement may be prepared already, so it is closed
        // first. Closing one that does not exist is no error.
        wire.close({ type: "S", name });
        wire.parse({ name, text });
        sent.add(name);
      }
      wire.bind({ statement: name, values });
      wire.execute({ portal: "", rows: 0 });
    }
    wire.sync();
    wire.stream.uncork();
  }

  handleDataRow({ fields }: { readonly fields: Fields }): void {
    this.#rows.push(fields);
  }

  handleCommandComplete(): void {
    const statement = this.#statements[this.#answers.length];
    if (statement !== undefined) this.#prepared.add(nameOf(statement.text));
    this.#answers.push(this.#rows);
    this.#rows = [];
  }

  handleReadyForQuery(): void {
    this.callback();
    this.done.resolve(this.#answers);
  }

  handleError(error: unknown): void {
    this.callback(error);
    this.done.reject(isServerError(error) ? error : new ConnectionLost(error));
  }
}

/** Names of prepared statements, by text. The texts are constants of this folder, about forty of them. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `tillsync_${names.size + 1}`;
  names.set(text, name);
  return name;
}
