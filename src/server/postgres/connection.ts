/**
 * One connection: any number of statements in one round trip.
 *
 * `pg` waits for the answer to each statement before it sends the next. Here they are sent together, with one Sync behind
 * the last: PostgreSQL runs them in order, and after one that fails it skips the others, a `commit` at the end with them.
 * Each is prepared once per connection, and rows arrive as the text of their columns, which the tables decode themselves.
 */
import { type Deferred, deferred } from "../../shared/deferred.ts";
import type { PgClient, PgSubmittable, PgWire } from "./driver.ts";
import { ConnectionLost, isRefusal, isServerError } from "./errors.ts";

export interface Statement {
  readonly text: string;
  readonly values: readonly (string | null)[];
}

const ROLLBACK: Statement = { text: "rollback", values: [] };

/** A row: its columns in the order in which they were selected. */
export type Fields = readonly (string | null)[];

export class Connection {
  readonly #client: PgClient;
  readonly #prepared = new Set<string>();
  #broken = false;

  constructor(client: PgClient) {
    this.#client = client;
  }

  /** Past use: it was lost, or a transaction could not be ended. Only closing it ends that for certain. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Rejects with PostgreSQL's error, or with {@link ConnectionLost}. */
  async run(statements: readonly Statement[]): Promise<readonly (readonly Fields[])[]> {
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

  /** After an error. What goes wrong here is not thrown: the error that is on its way says more. */
  async rollback(): Promise<void> {
    if (this.#broken) return;
    await this.run([ROLLBACK]).catch(() => {
      this.#broken = true;
    });
  }

  async all(text: string, ...values: (string | null)[]): Promise<readonly Fields[]> {
    const [rows = []] = await this.run([{ text, values }]);
    return rows;
  }

  /** Several statements in one text, none of them kept. */
  async script(text: string): Promise<void> {
    try {
      await this.#client.query(text);
    } catch (error) {
      throw isServerError(error) ? error : new ConnectionLost(error);
    }
  }
}

class Batch implements PgSubmittable {
  readonly done: Deferred<readonly (readonly Fields[])[]> = deferred();
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
        // A batch that failed does not say how far it came: what may be there already is closed first. Of one that is not there, too.
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

/** The texts are constants of this folder: there are some forty. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `tillsync_${names.size + 1}`;
  names.set(text, name);
  return name;
}
