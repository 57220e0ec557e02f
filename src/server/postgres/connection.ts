/**
 * One connection: any number of statements in one round trip.
 *
 * `pg` waits for the result of each statement before it sends the next. Here they are sent together, with one Sync
 * after the last: PostgreSQL runs them in order, and if one fails it skips the rest, including a `commit` at the end.
 * Rows arrive as the text of their columns, which the tables decode.
 *
 * A statement with parameters is prepared once per connection, under a name that no other process and no other text
 * has. A pooler in transaction mode can move the connection to a session in which it is not prepared. PostgreSQL then
 * refuses the name ({@link isUnprepared}), and from there on nothing is prepared under a name. So no pooler can make
 * another statement run than the one that was written.
 */
import { type Deferred, deferred } from "../../shared/deferred.ts";
import { systemRandom } from "../../shared/random.ts";
import type { PgClient, PgSubmittable, PgWire } from "./driver.ts";
import { ConnectionLost, isRefusal, isServerError, isUnprepared } from "./errors.ts";

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

/** Whether statements are prepared under names. The connections of one pool share it: they lead to the same place. */
export interface Preparing {
  named: boolean;
}

export class Connection {
  readonly #client: PgClient;
  readonly #preparing: Preparing;
  readonly #prepared = new Set<string>();
  #broken = false;

  /** @param preparing if omitted, nothing is prepared under a name: for connections that run a statement once */
  constructor(client: PgClient, preparing: Preparing = { named: false }) {
    this.#client = client;
    this.#preparing = preparing;
  }

  /**
   * It was lost, or a transaction on it could not be ended. Close it: nothing else is certain to end the transaction.
   */
  get broken(): boolean {
    return this.#broken;
  }

  /**
   * The rows of each statement. Rejects with PostgreSQL's error, or with {@link ConnectionLost}. After an error for which
   * {@link isUnprepared} holds, a retry of the whole transaction runs.
   */
  async run(statements: readonly Statement[]): Promise<Rows> {
    if (statements.length === 0) return [];
    const batch = new Batch(statements, this.#prepared, this.#preparing);
    this.#client.query(batch);
    try {
      return await batch.done.promise;
    } catch (error) {
      if (isUnprepared(error)) this.#preparing.named = false;
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
  readonly #preparing: Preparing;
  readonly #answers: (readonly Fields[])[] = [];
  /** The name of each statement, as sent. */
  #names: readonly string[] = [];
  #rows: Fields[] = [];

  constructor(statements: readonly Statement[], prepared: Set<string>, preparing: Preparing) {
    this.#statements = statements;
    this.#prepared = prepared;
    this.#preparing = preparing;
  }

  submit(wire: PgWire): void {
    wire.stream.cork();
    const sent = new Set<string>();
    // Not before it is sent: it may have waited for a batch that ended with the names.
    const names = this.#statements.map((statement) => (this.#preparing.named ? nameOf(statement) : UNNAMED));
    this.#names = names;
    for (const [index, { text, values }] of this.#statements.entries()) {
      const name = names[index] ?? UNNAMED;
      if (name === UNNAMED) {
        wire.parse({ name, text });
      } else if (!this.#prepared.has(name) && !sent.has(name)) {
        // A batch that failed does not say how far it got: this statement may be prepared already, so it is closed
        // first. Closing one that does not exist is not an error.
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
    const name = this.#names[this.#answers.length] ?? UNNAMED;
    if (name !== UNNAMED) this.#prepared.add(name);
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

/** Replaced by the next statement that is sent without a name. */
const UNNAMED = "";

/**
 * Names of prepared statements, by text. The texts are constants of this folder, about forty of them. The names are of
 * this process alone: two processes, perhaps of two versions, can share the sessions of a pooler.
 */
const names = new Map<string, string>();
let ofThisProcess: string | undefined;

function nameOf({ text, values }: Statement): string {
  // `begin`, `commit`: there is nothing to plan. And a `commit` can't fail because it was not prepared.
  if (values.length === 0) return UNNAMED;
  const known = names.get(text);
  if (known !== undefined) return known;
  ofThisProcess ??= systemRandom.uuid().replaceAll("-", "");
  const name = `tillsync_${ofThisProcess}_${names.size + 1}`;
  names.set(text, name);
  return name;
}
