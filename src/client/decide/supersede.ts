/**
 * Replaces an operation by a new one: resolutions, amendments, retries and giving up (`void`) all do this [C3]. Pure.
 */
import { TillSyncError } from "../../shared/errors.ts";
import { isWaiting, resultOf, type StoredOperation } from "../state/operation.ts";
import { type MintContext, mintSuccessor, type OperationPayload } from "./mint.ts";
import type { Workspace } from "./workspace.ts";

export interface SupersedeOptions {
  readonly keepGroup?: boolean;
  readonly note?: string;
  readonly seen?: number | undefined;
}

/**
 * Stores the successor of `old`, and `old` as superseded. `siblings`: the loaded members of its local transaction.
 * `keepGroup`: the same action supersedes the other members too, so the successors stay bound in one wire transaction
 * [C1]. `note`: a person's reason. `seen`: the version of the server's row that was decided on.
 */
export function supersede(
  workspace: Workspace,
  context: MintContext,
  old: StoredOperation,
  payload: OperationPayload,
  siblings: readonly StoredOperation[],
  { keepGroup = false, note, seen }: SupersedeOptions = {},
): StoredOperation {
  const successor = mintSuccessor(workspace, context, old, payload, seen);
  const bound =
    old.group !== undefined &&
    (keepGroup ||
      siblings.some((o) => o.id !== old.id && o.group === old.group && isWaiting(workspace.operation(o.id) ?? o)));
  const { status } = old;
  workspace.put({
    ...old,
    status: {
      state: "superseded",
      supersededBy: successor.id,
      // People can still read why it was refused.
      ...("error" in status && status.error && { error: status.error }),
      ...(note !== undefined && { note }),
      result: { ...resultOf(old), at: context.now },
    },
  });
  // The successor joins the old group only while members of it wait, because the client sends a group whole. Without
  // them it is sent on its own.
  const stored = bound && old.group !== undefined ? { ...successor, group: old.group } : successor;
  workspace.put(stored);
  workspace.unblock();
  return stored;
}

/** The error for what can't be done without the collection, which another version of the app had. */
export function unknownCollection(collection: string): TillSyncError<"unknown_collection"> {
  return new TillSyncError(
    "unknown_collection",
    `This app has no collection \`${collection}\`, which another version of it had. Use that version, retry the operation as it is, or give it up.`,
    { collection },
  );
}

/**
 * The payload of a retry, in the schema version in which it was made: the server raises it [H7]. A retry needs a new id,
 * because the server answers the old id with its final result forever [H9].
 */
export function samePayload(operation: StoredOperation): OperationPayload {
  return { ...payloadOf(operation), schemaVersion: operation.schemaVersion };
}

function payloadOf(operation: StoredOperation): OperationPayload {
  switch (operation.action) {
    case "create":
      return { action: "create", data: operation.data ?? {}, ...(operation.zeros && { zeros: operation.zeros }) };
    case "update":
      return {
        action: "update",
        patch: operation.patch ?? {},
        unset: operation.unset ?? [],
        before: operation.before ?? {},
      };
    case "increment":
      return { action: "increment", by: operation.by ?? {} };
    case "delete":
      return { action: "delete" };
    case "void":
      return { action: "void" };
  }
}
