/** Turns stored operations and conflicts into what an app shows on the desks. Pure. */
import { fieldDifferences } from "../../conflict/merge.ts";
import type { Verdict as WireVerdict } from "../../protocol/types.ts";
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { JsonObject } from "../../shared/json.ts";
import type { StoredOperation } from "../state/operation.ts";
import type { StoredConflict } from "../state/rows.ts";
import { raised, versionOf } from "../state/versions.ts";
import type { Conflict, Operation, OperationStatus } from "../types/desks.ts";
import type { Verdict } from "../types/record.ts";
import type { Sides } from "./conflict-sides.ts";
import { uneditableFields } from "./local-write.ts";
import { recordOf } from "./record.ts";

/** `inFlight`: the ids of the operations that are in a push right now. */
export function operationView(operation: StoredOperation, inFlight: ReadonlySet<string>): Operation {
  return {
    id: operation.id,
    sequence: operation.sequence,
    transaction: operation.transaction,
    collection: operation.collection,
    kind: operation.kind,
    entityId: operation.entityId,
    change: changeOf(operation),
    status: statusOf(operation, inFlight),
    actor: operation.actor,
    occurredAt: operation.occurredAt,
    attempts: operation.attempts,
  } as unknown as Operation;
}

function changeOf(operation: StoredOperation): object {
  const { action } = operation;
  switch (action) {
    case "create":
      return { action, data: recordOf(operation.entityId, { ...operation.data, ...operation.zeros }) };
    case "update": {
      const removed = Object.fromEntries((operation.unset ?? []).map((name) => [name, undefined]));
      return { action, patch: { ...operation.patch, ...removed }, baseVersion: operation.baseVersion };
    }
    case "increment":
      return { action, by: operation.by };
    case "delete":
      return { action, baseVersion: operation.baseVersion ?? 0 };
    case "void":
      return { action };
  }
}

function statusOf({ id, status }: StoredOperation, inFlight: ReadonlySet<string>): OperationStatus {
  switch (status.state) {
    case "pending":
      return { state: inFlight.has(id) ? "in_flight" : "pending" };
    case "applied":
      return { state: "applied" };
    case "blocked":
      return { state: "blocked", by: status.blockedBy };
    case "conflict":
      return { state: "conflict", conflictId: status.conflictId };
    case "superseded":
      return { state: "superseded", by: status.supersededBy ?? "" };
    case "closed_elsewhere":
      return { state: "superseded", by: "" };
    case "rejected":
    case "quarantined":
      return { state: status.state, reason: verdictOf(status.error) };
  }
}

/** The server's verdict on an operation, as an app reads it. */
export function verdictOf({ code, message, issues = [] }: WireVerdict): Verdict {
  return { code, message, issues };
}

/** `conflict`: with its sides, if the app can read them now: see `readAgain`. */
export function conflictView(conflict: StoredConflict, collections: ResolvedCollections): Conflict {
  const { id, collection, entityId, detectedAt, actor, settled } = conflict;
  const { base, client, server, unreadable } = sidesToShow(conflict, collections);
  const record = (data: JsonObject | undefined) => data && recordOf(entityId, data);
  const definition = collections[collection];
  const fields =
    unreadable || definition === undefined
      ? conflict.fields.map((field) => ({
          field,
          base: base?.[field],
          client: client?.[field],
          server: server?.[field],
        }))
      : fieldDifferences(base, client, server, uneditableFields(definition));
  return {
    id,
    collection,
    entityId,
    base: record(base),
    client: record(client),
    server: record(server),
    unreadable,
    fields,
    detectedAt,
    actor,
    settled,
  } as unknown as Conflict;
}

function sidesToShow(
  conflict: StoredConflict,
  collections: ResolvedCollections,
): Sides & { readonly unreadable: boolean } {
  const { collection, base, client, server, unread = false } = conflict;
  const definition = collections[collection];
  if (definition === undefined) return { base, client, server, unreadable: unread };
  const stored = [base, client, server];
  const now = stored.map((data) => data && raised(collection, definition, versionOf(conflict), data));
  const isRead = stored.every((data, index) => data === undefined || now[index] !== undefined);
  return { base: now[0], client: now[1], server: now[2], unreadable: unread || !isRead };
}
