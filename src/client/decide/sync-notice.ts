/** What register, push and pull find out besides their results. The tab turns it into status and events. */
import type { Identity } from "../state/meta.ts";
import type { OffsetSample } from "./clock-offset.ts";
import type { StorageLoss } from "./registration.ts";

export type SyncNotice =
  /** The server has answered. The sample shows how far its clock is from this device's. */
  | { readonly kind: "contact"; readonly sample: OffsetSample }
  /** The server has registered the store. */
  | { readonly kind: "identity"; readonly identity: Identity }
  /** The store continues under a new incarnation [C7]. */
  | { readonly kind: "forked"; readonly before: Identity; readonly after: Identity }
  /** The server has another history than the store knew; `replaying` operations will be sent again [C8]. */
  | { readonly kind: "epoch"; readonly from: string | undefined; readonly to: string; readonly replaying: number }
  /** Operations that this device had stored are gone from its disk. */
  | ({ readonly kind: "storage_lost" } & StorageLoss)
  /** The request had no token, or one that the server does not accept. */
  | { readonly kind: "unauthorised"; readonly reason: "no_token" | "refused" }
  /** `pushed` operations got a result, and `pulled` rows arrived: `sync()` adds these up. */
  | { readonly kind: "moved"; readonly pushed: number; readonly pulled: number };
