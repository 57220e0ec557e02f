/** What register, push and pull find out about the world beside their results: the tab turns it into status and events. */
import type { Identity } from "../state/meta.ts";
import type { OffsetSample } from "./clock-offset.ts";
import type { StorageLoss } from "./registration.ts";

export type SyncNotice =
  /** The server has answered: a sample of how far its clock is from this device's. */
  | { readonly kind: "contact"; readonly sample: OffsetSample }
  /** The server has let the store in. */
  | { readonly kind: "identity"; readonly identity: Identity }
  /** The store goes on under a new incarnation [C7]. */
  | { readonly kind: "forked"; readonly before: Identity; readonly after: Identity }
  /** The server has another history than the store knew: `replaying` operations are sent again [C8]. */
  | { readonly kind: "epoch"; readonly from: string | undefined; readonly to: string; readonly replaying: number }
  /** Operations that this device had stored are gone from its disk. */
  | ({ readonly kind: "storage_lost" } & StorageLoss)
  /** The request had no token that the server accepts. */
  | { readonly kind: "unauthorised"; readonly reason: "no_token" | "refused" }
  /** So many operations were answered, so many rows pulled: what `sync()` counts. */
  | { readonly kind: "moved"; readonly pushed: number; readonly pulled: number };
