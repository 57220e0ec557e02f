/** The events of a client. */

import type { Flag } from "../../protocol/types.ts";
import type { CollectionMap } from "../../schema/types.ts";
import type { AnyTillSyncError } from "../../shared/errors.ts";
import type { Conflict, Operation } from "./desks.ts";
import type { Verdict } from "./record.ts";
import type { Named, ShapeOf } from "./shape.ts";
import type { SyncStatus } from "./status.ts";

/**
 * The events of a client by name, each with what its listeners receive. Add a listener with `till.on(name, listener)`.
 *
 * Where several tabs share a store, `queued` is raised in the tab that wrote; `applied`, `rejected`, `quarantined`,
 * `conflict`, `pulled`, `epoch_changed` and `identity_forked` in the tab that synced; `storage_lost` and `error` in the
 * tab that noticed it; the others in every tab.
 */
// biome-ignore lint/suspicious/noExplicitAny: without an argument it must accept any client, otherwise no real one fits
export interface SyncEvents<C extends CollectionMap = any> {
  /** The status is a new object. Show it. */
  status: SyncStatus<Named<C>>;
  /** Operations were put in the outbox: by a write, or on a desk. They are on disk. */
  queued: {
    /** The new operations, in the order in which they were made. */
    readonly operations: readonly Operation<C>[];
  };
  /**
   * The server has applied an operation of this device. Show the `flags` to people; take fields that only the server
   * fills in, such as an order number, from `record`.
   */
  applied: {
    [N in Named<C>]: {
      /** The collection of the record. It narrows the type of `record`. */
      readonly collection: N;
      /** The id of the record. */
      readonly id: string;
      /** The record as the till shows it now; `undefined` if it is deleted. */
      readonly record: ShapeOf<C, N>["record"] | undefined;
      /** What the server or a policy noticed; empty if nothing. */
      readonly flags: readonly Flag[];
      /** The id of the operation. */
      readonly operationId: string;
    };
  }[Named<C>];
  /**
   * An edit was rejected, for the `reason` given. It has disappeared from the view, and its operation is on the desk:
   * let a person retry, amend or discard it.
   */
  rejected: { readonly operation: Operation<C>; readonly reason: Verdict };
  /**
   * A fact or an increment was set aside, for the `reason` given, for people to decide. A fact stays in the view,
   * because its receipt has been printed.
   */
  quarantined: { readonly operation: Operation<C>; readonly reason: Verdict };
  /** There is a new conflict, or one was settled: see its `settled`. A person must decide if it is `undefined`. */
  conflict: Conflict<C>;
  /** Rows of a collection arrived that others have changed; `ids` names those whose stored row changed. */
  pulled: { readonly collection: Named<C>; readonly ids: readonly string[] };
  /**
   * Sync waits for a valid token. Let a person sign in; selling continues. The `cause` is one of two:
   * - `no_token`: no one is signed in, because `getToken` returned none.
   * - `refused`: the server does not accept the token, and `getToken` returned no better one; or the token belongs to
   *   another device, or lacks a permission.
   */
  auth_required: { readonly cause: "no_token" | "refused" };
  /** The device may not sync any more. What the till still has is pushed, into quarantine. `at`: now, in epoch ms. */
  device_revoked: { readonly at: number };
  /**
   * The server was restored from a backup and has another history: epoch `to` instead of `from`. The till follows it
   * automatically, and sends `replaying` operations again. Tell the office that a restore was noticed.
   */
  epoch_changed: { readonly from: string; readonly to: string; readonly replaying: number };
  /**
   * Two stores used one `oldIncarnation`, because a disk was cloned or put back; this store has a `newIncarnation` now
   * and continues. Find out where the copy came from.
   */
  identity_forked: { readonly oldIncarnation: string; readonly newIncarnation: string };
  /**
   * Work of this device is not in this store: the store was cleared or evicted, or was put back to an older state. Tell
   * people, and compare with paper. It can be raised twice: when the store is opened, even offline, and after the first
   * contact with the server.
   */
  storage_lost: {
    /** The last known sequence number that the lost store had given out. */
    readonly lastKnownSequence: number;
    /** The number of operations that the server never received; `undefined` if none is known. */
    readonly missing: number | undefined;
  };
  /**
   * What the till stores is at risk. The `cause` is one of two:
   * - `eviction`: the browser has not promised to keep the data, and may delete it if its disk is full. Install the app
   *   as a PWA.
   * - `full`: more than 95 % of the quota is used, or the browser refused more space. Rows are no longer pulled; sales
   *   continue from a reserve. Free space.
   */
  storage_at_risk: { readonly cause: "eviction" | "full" };
  /**
   * The till's clock is wrong by more than two minutes; `offsetMs` is the server's clock minus the till's. It is raised
   * once, and again only after the clock has been right. A wrong clock only affects times that people read. Set it.
   */
  skew: { readonly offsetMs: number };
  /** An error that has no caller to throw it to. What a listener throws is reported here too. Log it. */
  error: AnyTillSyncError;
}
