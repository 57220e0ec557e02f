/** Who sends, as the decisions see it. */
import type { Principal } from "../../policy-types.ts";
import type { Catalog } from "./catalog.ts";

export interface Sender {
  readonly catalog: Catalog;
  readonly principal: Principal;
  readonly device: string;
  readonly incarnation: string;
  /** Epoch ms of the server when the request came. */
  readonly receivedAt: number;
}

/** How one operation is looked at. */
export interface Viewpoint extends Sender {
  /** A person lets a quarantined operation in: what a policy, a permission or its branch had against it is overruled. */
  readonly released?: boolean | undefined;
  /** The device was revoked: what it still holds is kept aside for people [H6]. */
  readonly revoked?: boolean | undefined;
}
