/** Local writes of every kind: they are validated, decided and committed, then announced. */

import { isId, isText } from "../../protocol/values.ts";
import type { ResolvedCollections } from "../../schema/collections.ts";
import { validateRecord } from "../../schema/validate.ts";
import { expectOption, TillSyncError } from "../../shared/errors.ts";
import type { LocalChange } from "../decide/local-write.ts";
import type { MintContext } from "../decide/mint.ts";
import type { StorageScript } from "../ports/storage.ts";
import type { DeskResult } from "../scripts/desk-actions.ts";
import { type LocalWriteResult, localWrite } from "../scripts/local-write.ts";
import type { LocalStore } from "./local-store.ts";

export interface WriterOptions {
  readonly store: LocalStore;
  /** The app's `actor`. */
  readonly actor: () => string | undefined;
  /** Epoch ms, corrected by the server's clock. */
  now(): number;
  uuid(): string;
  branch(): string | undefined;
  /** Operations were queued, so the loop has something to send. */
  queued(): void;
}

/** A run of a transaction's function. `error`: it wrote through the client. */
export interface Run {
  error?: TillSyncError;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #collections: ResolvedCollections;
  /**
   * The run whose function is on the call stack: from its call to its first `await`. After that, nothing shows whether
   * a write is the function's or another task's.
   */
  run: Run | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#collections = options.store.collections;
  }

  now(): number {
    return this.#options.now();
  }

  uuid(): string {
    return this.#options.uuid();
  }

  /**
   * Checks a create's input, and returns the change as it will be stored. @throws TillSyncError `validation_failed`,
   * `not_json`, `schema_async`
   */
  createChange(collection: string, input: object): Extract<LocalChange, { action: "create" }> {
    const definition = this.#collections[collection];
    const { id, ...fields } = (input ?? {}) as { readonly id?: unknown };
    const entityId = id === undefined ? this.#options.uuid() : id;
    if (!isId(entityId)) {
      throw refused(collection, undefined, "id", "an id is 1 to 64 of A-Z, a-z, 0-9, _ and -");
    }
    if (definition === undefined) throw refused(collection, entityId, "", "there is no such collection");
    const assigned = definition.assigned.find((name) => (fields as Record<string, unknown>)[name] !== undefined);
    if (assigned !== undefined) throw refused(collection, entityId, assigned, "only the server fills this in");
    return { action: "create", collection, entityId, data: validateRecord(collection, definition, entityId, fields) };
  }

  /**
   * Resolves when views and operations are on disk (L1). `separate`: the records of an import, not bound to each other.
   */
  write(
    changes: readonly LocalChange[],
    options: {
      readonly actor?: string | undefined;
      readonly transaction?: string | undefined;
      readonly separate?: boolean | undefined;
    } = {},
  ): Promise<LocalWriteResult> {
    this.expectNoRun();
    const context = this.context(options.actor, options.transaction);
    return this.commit([...new Set(changes.map((change) => change.collection))], () =>
      localWrite(this.#collections, context, changes, options),
    );
  }

  /**
   * A write that the function of a transaction makes past the transaction would be neither in it nor undone with it.
   * @throws TillSyncError `transaction_bypassed`
   */
  expectNoRun(): void {
    const { run } = this;
    if (run === undefined) return;
    run.error = new TillSyncError(
      "transaction_bypassed",
      "Expected writes inside a transaction's function to use its argument, got one through the client.",
      {},
    );
    throw run.error;
  }

  /** Runs a script that writes locally, in a strict transaction, and announces what it has committed. */
  async commit<T extends DeskResult>(collections: readonly string[], script: () => StorageScript<T>): Promise<T> {
    const result = await this.#options.store.transact(
      "local write",
      "strict",
      collections,
      script,
      ({ changes, queue, operations }) => ({
        changes,
        queue,
        events: operations.map((operation) => ({ kind: "queued", operation })),
      }),
    );
    if (result.operations.length > 0) this.#options.queued();
    return result;
  }

  /** The context of one write. `now` and the actor are those of the call, however often the script is run. */
  context(actor?: string, transaction = this.#options.uuid()): MintContext {
    return {
      now: this.#options.now(),
      actor: checkedActor(actor ?? this.#options.actor()),
      branch: this.#options.branch(),
      transaction,
      uuid: () => this.#options.uuid(),
    };
  }

  /**
   * The context of what the loop does on its own: no person does it, and an app's `actor` that throws must not stop
   * sync (L6).
   */
  background(): MintContext {
    const { now, branch, uuid } = this.#options;
    return { now: now(), actor: undefined, branch: branch(), transaction: uuid(), uuid };
  }
}

/**
 * Checked before anything is stored, because the server would refuse other names [M1]. Apps have an empty one while no
 * person is signed in.
 */
function checkedActor(actor: string | undefined): string | undefined {
  if (actor === undefined || actor === "") return undefined;
  const hint = "Name the person by an id: actor: () => session.cashierId.";
  expectOption(isText(actor, MAX_ACTOR), "actor", `a string of 1 to ${MAX_ACTOR} characters`, actor, hint);
  return actor;
}
const MAX_ACTOR = 128;

function refused(
  collection: string,
  id: string | undefined,
  field: string,
  message: string,
): TillSyncError<"validation_failed"> {
  return new TillSyncError("validation_failed", `A record of \`${collection}\` was refused: ${message}.`, {
    collection,
    id,
    issues: [{ message, path: field === "" ? [] : [field] }],
  });
}
