/** Turns a stored operation into its wire form. Pure. */
import type { WireOperation } from "../../protocol/types.ts";
import { rfc3339 } from "../../shared/rfc3339.ts";
import type { StoredOperation } from "../state/operation.ts";
import type { Selected } from "./selection.ts";

export function toWire({ operation, after }: Selected): WireOperation {
  const head = {
    id: operation.id,
    sequence: operation.sequence,
    collection: operation.collection,
    entityId: operation.entityId,
    ...(operation.group !== undefined && { transaction: operation.group }),
    ...(after.length > 0 && { after }),
    ...(operation.supersedes && { supersedes: operation.supersedes }),
    schemaVersion: operation.schemaVersion,
    ...(operation.branch !== undefined && { branch: operation.branch }),
    ...(operation.actor !== undefined && { actor: operation.actor }),
    occurredAt: rfc3339(operation.occurredAt),
    ...(operation.acknowledged && { acknowledged: operation.acknowledged }),
  };
  return { ...head, ...payload(operation) } as WireOperation;
}

function payload(operation: StoredOperation): object {
  const force = operation.force && { force: true };
  switch (operation.action) {
    case "create":
      return { action: "create", data: operation.data };
    case "update":
      return {
        action: "update",
        baseVersion: operation.baseVersion,
        patch: operation.patch,
        ...(operation.unset?.length && { unset: operation.unset }),
        ...force,
      };
    case "increment":
      return { action: "increment", by: operation.by };
    case "delete":
      return { action: "delete", baseVersion: operation.baseVersion, ...force };
    case "void":
      return { action: "void" };
  }
}
