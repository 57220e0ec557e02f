/** The events. */
import type { CollectionMap } from "../../schema/types.ts";
import type { AnyTillSyncError } from "../../shared/errors.ts";
import type { Conflict, Operation } from "./desks.ts";
import type { Flag, Verdict } from "./record.ts";
import type { Named, ShapeOf } from "./shape.ts";
import type { SyncStatus } from "./status.ts";

// ── Events ──
// biome-ignore lint/suspicious/noExplicitAny: without an argument it must accept any client, else no real one fits
export interface SyncEvents<C extends CollectionMap = any> {
  status: SyncStatus<Named<C>>;
  queued: { readonly operations: readonly Operation<C>[] };
  applied: {
    [N in Named<C>]: {
      readonly collection: N;
      readonly id: string;
      readonly record: ShapeOf<C, N>["record"] | undefined;
      readonly flags: readonly Flag[];
      readonly operationId: string;
    };
  }[Named<C>];
  rejected: { readonly operation: Operation<C>; readonly reason: Verdict };
  quarantined: { readonly operation: Operation<C>; readonly reason: Verdict };
  conflict: Conflict<C>;
  pulled: { readonly collection: Named<C>; readonly ids: readonly string[] };
  auth_required: { readonly cause: "no_token" | "refused" };
  device_revoked: { readonly at: number };
  epoch_changed: { readonly from: string; readonly to: string; readonly replaying: number };
  identity_forked: { readonly oldIncarnation: string; readonly newIncarnation: string };
  storage_lost: { readonly lastKnownSequence: number; readonly missing: number | undefined };
  storage_at_risk: { readonly cause: "eviction" | "full" };
  skew: { readonly offsetMs: number };
  /** What has no caller to be thrown at. A listener that throws lands here too. */
  error: AnyTillSyncError;
}
