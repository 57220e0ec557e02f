/** Makes operations: one local change becomes one entry of the outbox. Pure but for the ids it is handed. */
import { strategyOf } from "../../conflict/strategies.ts";
import { LIMITS } from "../../protocol/constants.ts";
import { referencesIn } from "../../schema/references.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import type { CounterValue } from "../../shared/counter-step.ts";
import { TillSyncError } from "../../shared/errors.ts";
import { type JsonObject, jsonBytes } from "../../shared/json.ts";
import { isCommercial, isOpen, type Lane, type StoredOperation, subjectOf } from "../state/operation.ts";
import type { Workspace } from "./workspace.ts";

/** Who, when, where, and a source of ids: all a decision may know of the world. */
export interface MintContext {
  readonly now: number;
  readonly actor: string | undefined;
  readonly branch: string | undefined;
  readonly transaction: string;
  uuid(): string;
}

/** What an operation does, checked and in its wire form. */
export type OperationPayload =
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

export interface Target {
  readonly collection: string;
  readonly entityId: string;
}

/** What the wire adds around a payload: ids, names, commas. Generous, so that a batch by this count is never too large. */
const FRAME_BYTES = 640;

const LANES = { high: 0, normal: 1, low: 2 } as const;

/** A new operation with its sequence number, not yet stored. `replaces`: it takes the place of that one [C3]. */
export function mint(
  workspace: Workspace,
  context: MintContext,
  target: Target,
  payload: OperationPayload,
  replaces?: StoredOperation,
): StoredOperation {
  const definition = workspace.definition(target.collection);
  const sequence = workspace.nextSequence();
  const isEdit = definition.kind === "record" && payload.action !== "increment" && payload.action !== "void";
  const based = isEdit && payload.action !== "create";
  const references = referencesOf(definition, payload);
  const operation: StoredOperation = {
    id: context.uuid(),
    sequence,
    rank: replaces?.rank ?? sequence,
    lane: replaces?.lane ?? LANES[definition.priority],
    collection: target.collection,
    entityId: target.entityId,
    kind: definition.kind,
    ...payload,
    ...(based && { baseVersion: baseVersion(workspace, target, replaces) }),
    // "The last one that reaches the server wins" is a wish about every edit, not an answer to a conflict [M4].
    ...(based && definition.conflict && strategyOf(definition.conflict) === "last_write_wins" && { force: true }),
    ...(replaces && { supersedes: [...(replaces.supersedes ?? []), replaces.id] }),
    transaction: replaces?.transaction ?? context.transaction,
    schemaVersion: definition.schemaVersion,
    ...(context.branch !== undefined && { branch: context.branch }),
    ...(context.actor !== undefined && { actor: context.actor }),
    occurredAt: context.now,
    ...(references.length > 0 && { references }),
    bytes: FRAME_BYTES + jsonBytes(JSON.stringify(payload)),
    status: { state: "pending" },
    attempts: 0,
  };
  if (operation.bytes > LIMITS.operationBytes) throw tooLarge(1, operation.bytes);
  return operation;
}

/**
 * An edit made while edits of the row are pending takes the earliest one's: the author did not see what a pull has put under his own
 * pending edit since [C5]. A superseding one is minted by somebody who has seen the server's row as it is.
 */
function baseVersion(workspace: Workspace, target: Target, replaces: StoredOperation | undefined): number {
  const current = workspace.row(target.collection, target.entityId)?.version ?? 0;
  if (replaces) return current;
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
 * Binds the operations of one local transaction for the wire [C1]: facts and increments take effect together, always. Edits are all or
 * nothing among themselves, unless a fact is with them: then each is judged on its own, so that no conflict of theirs touches a sale.
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

/** Checked before the local commit: what could never be sent must never be stored [M1]. */
export function checkTransactionSize(operations: readonly StoredOperation[]): void {
  const bytes = operations.reduce((total, o) => total + o.bytes, 0);
  if (operations.length > LIMITS.transactionOperations || bytes > LIMITS.transactionBytes)
    throw tooLarge(operations.length, bytes);
}

function tooLarge(operations: number, bytes: number): TillSyncError<"transaction_too_large"> {
  const maxOperations = operations === 1 ? 1 : LIMITS.transactionOperations;
  const maxBytes = operations === 1 ? LIMITS.operationBytes : LIMITS.transactionBytes;
  return new TillSyncError(
    "transaction_too_large",
    `Expected at most ${maxOperations} operations and ${maxBytes} bytes, got ${operations} and ${bytes}: it could not be sent. Split it; for imports use createMany.`,
    { operations, bytes, maxOperations, maxBytes },
  );
}
