/** Makes operations: one local change becomes one entry of the outbox. Pure, except for the ids that it is given. */
import { strategyOf } from "../../conflict/strategies.ts";
import { chainWith } from "../../protocol/chain.ts";
import { LIMITS } from "../../protocol/constants.ts";
import { referencesIn } from "../../schema/references.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import type { CounterValue } from "../../shared/counter-step.ts";
import { TillSyncError } from "../../shared/errors.ts";
import { type JsonObject, jsonBytes } from "../../shared/json.ts";
import { omit } from "../../shared/omit.ts";
import { isCommercial, isOpen, type Lane, type StoredOperation, subjectOf } from "../state/operation.ts";
import type { Workspace } from "./workspace.ts";

/** All that a decision may know of the outside world. */
export interface MintContext {
  /** Epoch ms, corrected by the server's clock. */
  readonly now: number;
  readonly actor: string | undefined;
  readonly branch: string | undefined;
  /** The id of the local transaction. */
  readonly transaction: string;
  uuid(): string;
}

/** What an operation does, checked and in its wire form. */
export type OperationPayload = Effect & {
  /** The schema version of its data. @default that of the app */
  readonly schemaVersion?: number | undefined;
};

type Effect =
  | {
      readonly action: "create";
      readonly data: JsonObject;
      readonly zeros?: Readonly<Record<string, CounterValue>> | undefined;
    }
  | {
      readonly action: "update";
      readonly patch: JsonObject;
      readonly unset: readonly string[];
      readonly before: JsonObject;
    }
  | { readonly action: "increment"; readonly by: Readonly<Record<string, CounterValue>> }
  | { readonly action: "delete" }
  | { readonly action: "void" };

/** The record or fact that a change is about. */
export interface Target {
  readonly collection: string;
  readonly entityId: string;
}

/**
 * What the wire adds around a payload: ids, names, commas, and after a restore the epoch, the version and the receipt.
 * Generous, so a batch that fits by this estimate is never too large.
 */
const FRAME_BYTES = 704;

/** One id of `after` or `supersedes`, with quotes and a comma. */
const ID_BYTES = 39;

/**
 * The largest payload that a till stores. The rest of an operation's bytes is kept for what sending and superseding add:
 * the longest lists of ids, the names around them, and what a lost history had answered: its epoch, what it assigned,
 * its receipt.
 */
const PAYLOAD_BYTES = LIMITS.operationBytes - 24 * 1_024;

/** The size of the payload in bytes. */
function sizeOf(payload: OperationPayload): number {
  return jsonBytes(JSON.stringify(omit(payload, "schemaVersion")));
}

/** The size of the payload in bytes. @throws TillSyncError `transaction_too_large` if it could not be sent [M1] */
function checkedSize(payload: OperationPayload): number {
  const bytes = sizeOf(payload);
  if (bytes > PAYLOAD_BYTES) throw tooLarge(1, bytes);
  return bytes;
}

/** The error for a payload that could not be sent, or not once it has been superseded; `undefined` if it can be. */
export function payloadFault(payload: OperationPayload): TillSyncError<"transaction_too_large"> | undefined {
  const bytes = sizeOf(payload);
  return bytes > PAYLOAD_BYTES ? tooLarge(1, bytes) : undefined;
}

const LANES = { high: 0, normal: 1, low: 2 } as const;

/** A new operation with its sequence number, not stored yet. */
export function mint(
  workspace: Workspace,
  context: MintContext,
  target: Target,
  payload: OperationPayload,
): StoredOperation {
  const definition = workspace.definition(target.collection);
  const bytes = FRAME_BYTES + checkedSize(payload);
  const sequence = workspace.nextSequence();
  const based = definition.kind === "record" && isBased(payload);
  const references = referencesOf(definition, payload);
  return {
    ...head(context, target, payload),
    sequence,
    rank: sequence,
    lane: LANES[definition.priority],
    kind: definition.kind,
    schemaVersion: definition.schemaVersion,
    ...(based && { baseVersion: baseVersion(workspace, target) }),
    ...(based && forced(definition)),
    ...(references.length > 0 && { references }),
    transaction: context.transaction,
    bytes,
  };
}

/**
 * A new operation that takes the place of another one [C3]. It is about the same row, so it needs the collection only
 * for what is new in it: what an app does not know any more can still be sent again, or given up. `seen`: the version of
 * the server's row that its author decided on.
 */
export function mintSuccessor(
  workspace: Workspace,
  context: MintContext,
  replaced: StoredOperation,
  payload: OperationPayload,
  seen?: number,
): StoredOperation {
  const { collection, kind, rank, lane, transaction } = replaced;
  const definition = workspace.knows(collection) ? workspace.definition(collection) : undefined;
  const { schemaVersion = definition?.schemaVersion ?? replaced.schemaVersion } = payload;
  const isSame = payload.schemaVersion !== undefined;
  const supersedes = chainWith(replaced.supersedes ?? [], replaced.id);
  const bytes = FRAME_BYTES + checkedSize(payload) + ID_BYTES * supersedes.length;
  const based = kind === "record" && isBased(payload);
  const current = workspace.row(collection, replaced.entityId)?.version ?? replaced.baseVersion ?? 0;
  const references = definition && !isSame ? referencesOf(definition, payload) : replaced.references;
  return {
    ...head(context, replaced, payload),
    sequence: workspace.nextSequence(),
    rank,
    lane,
    kind,
    schemaVersion,
    // Its author has seen the server's row as it is now, or as it was when the desk showed it.
    ...(based && { baseVersion: Math.min(current, seen ?? current) }),
    ...(based && (definition ? forced(definition) : replaced.force && { force: true })),
    ...(references?.length && { references }),
    supersedes,
    transaction: transaction ?? context.transaction,
    bytes,
  };
}

/** What is the same in every new operation. */
function head(context: MintContext, { collection, entityId }: Target, payload: OperationPayload) {
  const { now, branch, actor } = context;
  return {
    id: context.uuid(),
    collection,
    entityId,
    ...omit(payload, "schemaVersion"),
    ...(branch !== undefined && { branch }),
    ...(actor !== undefined && { actor }),
    occurredAt: now,
    status: { state: "pending" },
    attempts: 0,
  } as const;
}

/** Whether the operation changes a row that its author saw. */
const isBased = ({ action }: OperationPayload) => action === "update" || action === "delete";

/** "The last one that reaches the server wins" is a wish about every edit, not an answer to a conflict [M4]. */
function forced({ conflict }: ResolvedCollection) {
  return conflict && strategyOf(conflict) === "last_write_wins" && { force: true };
}

/**
 * The version that the author of an edit saw. An edit of a row with open edits takes the lowest `baseVersion` among
 * them: its author has not seen what pulls have brought underneath since [C5].
 */
function baseVersion(workspace: Workspace, target: Target): number {
  const current = workspace.row(target.collection, target.entityId)?.version ?? 0;
  const pending = workspace
    .operationsOf(target.collection, target.entityId)
    .filter((o) => isOpen(o) && o.baseVersion !== undefined);
  return Math.min(current, ...pending.map((o) => o.baseVersion ?? current));
}

function referencesOf(definition: ResolvedCollection, payload: OperationPayload): readonly string[] {
  if (definition.references.length === 0) return [];
  const data = payload.action === "create" ? payload.data : payload.action === "update" ? payload.patch : undefined;
  return data ? referencesIn(definition.references, data).map((r) => subjectOf(r.collection, r.id)) : [];
}

/**
 * Binds the operations of one local transaction for the wire [C1]. Its facts and increments always take effect
 * together. Its edits are all or nothing among themselves, unless the transaction contains a fact: then each edit is
 * judged on its own, so no conflict of theirs touches a sale.
 */
export function group(operations: readonly StoredOperation[], transaction: string): readonly StoredOperation[] {
  const commercial = operations.filter(isCommercial);
  const hasFact = operations.some((o) => o.kind === "fact");
  const editorial = operations.length - commercial.length;
  const lane = Math.min(...commercial.map((o) => o.lane)) as Lane;
  const editLane = Math.min(...operations.filter((o) => !isCommercial(o)).map((o) => o.lane)) as Lane;
  return operations.map((operation) => {
    if (isCommercial(operation)) return commercial.length > 1 ? { ...operation, group: transaction, lane } : operation;
    return editorial > 1 && !hasFact ? { ...operation, group: `${transaction}-e`, lane: editLane } : operation;
  });
}

/** Checked before the local commit: an operation that could never be sent must never be stored [M1]. */
export function checkTransactionSize(operations: readonly StoredOperation[]): void {
  const bytes = operations.reduce((total, o) => total + o.bytes, 0);
  if (operations.length > LIMITS.transactionOperations || bytes > LIMITS.transactionBytes)
    throw tooLarge(operations.length, bytes);
}

function tooLarge(operations: number, bytes: number): TillSyncError<"transaction_too_large"> {
  const maxOperations = operations === 1 ? 1 : LIMITS.transactionOperations;
  const maxBytes = operations === 1 ? PAYLOAD_BYTES : LIMITS.transactionBytes;
  return new TillSyncError(
    "transaction_too_large",
    `Expected a transaction of at most ${maxOperations} operations and ${maxBytes} bytes, got ${operations} and ${bytes}, which could not be sent. Split it; for imports use createMany.`,
    { operations, bytes, maxOperations, maxBytes },
  );
}
