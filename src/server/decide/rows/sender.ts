/** The sender of a request, as the decisions see it. */
import type { Principal } from "../../policy-types.ts";
import type { OperationRow } from "../../ports/rows.ts";
import type { Catalog } from "./catalog.ts";

export interface Sender {
  readonly catalog: Catalog;
  readonly principal: Principal;
  readonly device: string;
  readonly incarnation: string;
  /** When the request arrived, in epoch ms of the server. */
  readonly receivedAt: number;
}

/** Who sent an operation, as the token says and not as the operation claims. */
export function originOf({ principal }: Pick<Sender, "principal">): Pick<OperationRow, "sentBy" | "sentFrom"> {
  return { sentBy: principal.actor, sentFrom: principal.branch };
}

/** The sender of one operation, with what sets its judgement apart. */
export interface Viewpoint extends Sender {
  /**
   * A person released the operation from quarantine, and `principal` has that person's rights: a quarantine by the policy
   * and an objection to its branch are overruled.
   */
  readonly released?: boolean | undefined;
  /** The device was revoked: what it still sends is quarantined for people to decide about [H6]. */
  readonly revoked?: boolean | undefined;
}
