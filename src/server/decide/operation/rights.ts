/**
 * Which right each way of changing something takes (L9). docs/security.md has the whole table, and
 * test/security/rights.test.ts tries every line of it.
 *
 * - An edit takes the right of its action, and `force` if it forces. That is asked before the edit is set aside for
 *   its branch: what its sender might not do is refused, and nobody can be talked into releasing it. A revoked device is
 *   not asked, because its token may have no rights left: people look at its work one by one [H6].
 * - A fact and a step of a counter are never refused: without the right they wait in quarantine (L11). The desks' scope
 *   is enough to release them.
 * - Whoever releases an edit needs its right too, and whoever resolves a conflict the right for what is then written.
 * - What "nobody" may do, nobody releases either.
 */
import type { RejectedResult, WireOperation } from "../../../protocol/types.ts";
import type { OperationRow } from "../../ports/rows.ts";
import { hasDesk, isFact, mayDo, type Right, ruleOf, type ServedCollection } from "../rows/catalog.ts";
import type { Viewpoint } from "../rows/sender.ts";
import { isCommercial, rejected } from "./verdicts.ts";

/** The refusal of an edit for which the sender, or the person who releases it, lacks a right. */
export function withoutRight(
  view: Viewpoint,
  served: ServedCollection,
  operation: WireOperation,
): RejectedResult | undefined {
  const { action } = operation;
  if (action === "void" || isCommercial(view.catalog, operation)) return undefined;
  const rights: Right[] = "force" in operation && operation.force === true ? [action, "force"] : [action];
  const lacking = rights.find((right) => !mayDo(served, right, view.principal));
  return lacking && rejected(operation, "not_permitted", `The token may not ${lacking} in \`${served.name}\``);
}

/** Whether a fact or a step takes effect. People who release one need no more than the desk. */
export function mayTakeEffect(view: Viewpoint, served: ServedCollection, right: "create" | "increment"): boolean {
  return view.released === true ? ruleOf(served, right) !== "nobody" : mayDo(served, right, view.principal);
}

/** Operations are replaced on the device that sent them, and by the desk: no till closes another till's entries. */
export function mayReplace({ catalog, principal, device }: Viewpoint, target: OperationRow): boolean {
  return target.device === device || hasDesk(catalog, principal);
}

/**
 * Whether a void may give up the target. Only those who booked a fact, and the desk, can say that it did not happen:
 * the same person on the same device, as the tokens named them. An edit may be given up by anybody on its device.
 */
function mayGiveUp(view: Viewpoint, served: ServedCollection, target: OperationRow): boolean {
  const { catalog, principal } = view;
  if (hasDesk(catalog, principal)) return true;
  // What is bound to a target may be of another collection.
  const isBooked =
    served.resolved.kind === "fact" || isFact(catalog, target.collection) || target.operation?.action === "increment";
  return target.device === view.device && (!isBooked || target.sentBy === principal.actor);
}

/**
 * The refusal of a void.
 *
 * @param targets what it gives up, with all that is bound to it: whoever takes a payment back takes the sale along
 */
export function voidRefusal(
  view: Viewpoint,
  served: ServedCollection,
  operation: WireOperation,
  targets: readonly OperationRow[],
): RejectedResult | undefined {
  if (
    served.resolved.kind === "fact" &&
    !mayDo(served, "create", view.principal) &&
    !hasDesk(view.catalog, view.principal)
  )
    return rejected(operation, "not_permitted", `The token may not create in \`${served.name}\``);
  if (targets.every((target) => mayGiveUp(view, served, target))) return undefined;
  const message = "Only the person who sent it, on the same device, and the desk may give it up";
  return rejected(operation, "not_permitted", message);
}
