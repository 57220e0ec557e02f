/** A new operation in the place of another: resolutions, amendments, retries, and giving up (`void`) all go this way [C3]. Pure. */
import { isWaiting, resultOf, type StoredOperation } from "../state/operation.ts";
import { type MintContext, mint, type OperationPayload } from "./mint.ts";
import type { Workspace } from "./workspace.ts";

/** `siblings`: the loaded members of its transaction. `keepGroup`: they are superseded by the same action, and stay bound [C1]. */
export function supersede(
  workspace: Workspace,
  context: MintContext,
  old: StoredOperation,
  payload: OperationPayload,
  siblings: readonly StoredOperation[],
  { keepGroup = false, note }: { readonly keepGroup?: boolean; readonly note?: string } = {},
): StoredOperation {
  const target = { collection: old.collection, entityId: old.entityId };
  const successor = mint(workspace, context, target, payload, old);
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
      // A person can still read why it was refused.
      ...("error" in status && status.error && { error: status.error }),
      ...(note !== undefined && { note }),
      result: { ...resultOf(old), at: context.now },
    },
  });
  // Bound again only while members wait for it: the client sends the group whole. Without them it stands for itself.
  const stored = bound && old.group !== undefined ? { ...successor, group: old.group } : successor;
  workspace.put(stored);
  workspace.unblock();
  return stored;
}

/** The same change once more, under a new id: a final result is answered for ever, so the old id would only repeat it [H9]. */
export function samePayload(operation: StoredOperation): OperationPayload {
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
