/** The state of the whole client. */
import type { AnyTillSyncError } from "../../shared/errors.ts";

/** Why a request failed; it is tried again after a wait. Explained at `SyncPhase`. */
export type OfflineCause = "unreachable" | "server_error" | "throttled" | "device_error";
/** What only a person, or a newer app, can fix. Explained at `SyncPhase`. */
export type ActionCause =
  | "auth_required"
  | "device_revoked"
  | "wrong_workspace"
  | "protocol_unsupported"
  | "upgrade_needed";

/**
 * Why a collection waits:
 * - `unknown_collection`: the server has no such collection. Nothing of it is pulled. Update the server.
 * - `schema_older`: the app's schema version is older than the server's. Nothing is pulled, because the app could not
 *   read it; what is sold and edited here is sent. Update the app.
 * - `schema_newer`: the app's schema version is newer than the server's. Rows are pulled; what is sold and edited here
 *   waits. Update the server.
 */
export type WaitingCause = "unknown_collection" | "schema_older" | "schema_newer" | (string & {});

// ── Status: `phase` says what to show, its own fields say why ──

/** What every status has, whatever its phase. */
export interface StatusFacts<N extends string = string> {
  /** When the phase began: epoch ms of the till's own clock. */
  readonly since: number;
  /** What the server has not taken yet: pending and blocked operations. */
  readonly pending: {
    /** How many there are. */
    readonly count: number;
    /**
     * When the oldest of them was made, in epoch ms; `undefined` if there are none. This, not just the phase, shows
     * whether a till is in trouble.
     */
    readonly oldestAt: number | undefined;
    /** How many there are of each collection. A collection without any is missing. */
    readonly byCollection: { readonly [K in N]?: number };
  };
  /**
   * What needs a person, for a badge: open `conflicts`, `rejected` edits, and `quarantined` operations that the office
   * has not discarded.
   */
  readonly attention: { readonly conflicts: number; readonly rejected: number; readonly quarantined: number };
  /**
   * The collections that wait for an update of the app or of the server, with the `cause`. Everything else syncs on.
   * Explained at {@link WaitingCause}.
   */
  readonly waiting: readonly { readonly collection: N; readonly cause: WaitingCause }[];
  /** When the last answer to a push was stored: epoch ms of the server's clock. `undefined`: never. */
  readonly lastPushAt: number | undefined;
  /** When the last answer to a pull was stored: epoch ms of the server's clock. `undefined`: never. */
  readonly lastPullAt: number | undefined;
  /**
   * `offsetMs`: the server's clock minus the till's; 0 until it is known. The times of what the till makes are corrected
   * by it. `confidence`: `none` before the first answer of the server to this store; `remembered` from a start until its
   * first answer: the till's clock may have been set in between; `low` if the best round trip took more than two
   * seconds; otherwise `high`.
   */
  readonly clock: { readonly offsetMs: number; readonly confidence: "none" | "remembered" | "low" | "high" };
  /** The space for the store, as far as the platform tells. */
  readonly storage: {
    /** The platform has promised not to delete the store. */
    readonly persisted: boolean;
    /** Bytes that the site uses; `undefined` if the platform does not say. */
    readonly usedBytes: number | undefined;
    /** Bytes that the site may use, as the platform estimates it; `undefined` if it does not say. */
    readonly quotaBytes: number | undefined;
    /**
     * `eviction`: the platform may delete the store if its disk is full. `full`: more than 95 % of the quota is used,
     * or the platform refused more space. `undefined`: neither, or not known yet.
     */
    readonly atRisk: "eviction" | "full" | undefined;
  };
}

/** The status of a client: what it is doing, what waits, and what needs a person. */
export type SyncStatus<N extends string = string> = StatusFacts<N> & SyncPhase<N>;

/** What a client is doing. Show the `phase`; its own fields say why. */
export type SyncPhase<N extends string = string> =
  | {
      /** `stopped`: the client was not started, or was created with `sync: { auto: false }`. */
      readonly phase: "stopped";
    }
  | {
      /** `opening`: the store is being opened, or the first contact with the server is under way. */
      readonly phase: "opening";
    }
  | {
      /** `first_sync`: at least one collection has never been pulled completely. */
      readonly phase: "first_sync";
      /** How far the first pull is, over all collections. */
      readonly progress: {
        /** Rows received so far. */
        readonly received: number;
        /** About how many rows there will be; `undefined` while the server has not said it of every collection. */
        readonly expected: number | undefined;
        /** The collections that are not complete yet. */
        readonly waitingFor: readonly N[];
      };
    }
  | {
      /** `online`: the till is in contact with the server. */
      readonly phase: "online";
      /** What is under way now. If both are, it is `pushing`. */
      readonly activity: "idle" | "pushing" | "pulling";
    }
  | {
      /** `offline`: the till is not in contact with the server. It tries again automatically. Local work continues. */
      readonly phase: "offline";
      /**
       * The reason:
       * - `no_network`: the platform says that there is no network.
       * - `unreachable`: no tillsync server answered. For example: a broken connection, a timeout, a captive portal, or
       *   no token could be obtained.
       * - `server_error`: the server or a proxy answered 5xx, or with a code that asks for nothing else.
       * - `throttled`: the server or a proxy answered 429.
       * - `device_error`: the device itself could not do its part: its store failed, or has no room for the answer. The
       *   server is not to blame. The event `error` has the reason.
       */
      readonly cause: "no_network" | OfflineCause;
      /** When it tries again: epoch ms of the till's own clock. `undefined` if it is trying now. */
      readonly retryAt: number | undefined;
    }
  | {
      /** `paused`: sync is paused by `pause(reason)`. Local work continues. */
      readonly phase: "paused";
      /** The reasons that have not been resumed. */
      readonly reasons: readonly string[];
    }
  | {
      /**
       * `action_needed`: a person must do something. Local work continues, and sync is tried at the normal interval.
       */
      readonly phase: "action_needed";
      /**
       * The reason:
       * - `auth_required`: no one is signed in, the token was refused twice, or it is another device's,
       *   or it lacks a permission. Sign in.
       * - `device_revoked`: the device may not sync any more. Talk to the office.
       * - `wrong_workspace`: the token and the store belong to different shops. Nothing is pushed, pulled or deleted.
       *   Sign in to the right shop, or use another `name`.
       * - `protocol_unsupported`: the server does not speak this version of the protocol. Update the app or the server.
       * - `upgrade_needed`: this version of the app is too old. Reserved: nothing raises it yet.
       */
      readonly cause: ActionCause;
    }
  | {
      /** `failed`: the local store failed: nothing can be read or written. */
      readonly phase: "failed";
      /** Its code and its message say what to do. */
      readonly error: AnyTillSyncError;
    }
  | {
      /** `closed`: `close()` was called. */
      readonly phase: "closed";
    };

/** What a `sync()` has achieved. `remaining` is the number of operations that still wait, pending or blocked. */
export type SyncOutcome =
  /**
   * The client pushed what it could, and pulled. `pushed`: results that it received for its operations; `pulled`: rows
   * that it received. Both count what this tab did, and are 0 if another tab synced.
   */
  | { readonly outcome: "done"; readonly pushed: number; readonly pulled: number; readonly remaining: number }
  /** A request failed, for the `cause` that `SyncPhase` explains. The client tries again automatically. */
  | {
      readonly outcome: "offline";
      readonly cause: "no_network" | OfflineCause;
      readonly remaining: number;
    }
  /** A person must do something first: for `cause`, see `SyncPhase`. */
  | {
      readonly outcome: "action_needed";
      readonly cause: ActionCause;
      readonly remaining: number;
    }
  /** Nothing was sent: sync is paused for these `reasons`. */
  | { readonly outcome: "paused"; readonly reasons: readonly string[]; readonly remaining: number };

/** Who this device is. */
export interface DeviceIdentity {
  /** The id of the device: the option `device.id` when the store was created, or a UUID. */
  readonly id: string;
  /** A UUID of this store. A new one is created with each store, and after a fork. */
  readonly incarnation: string;
  /** The option `device.name`. */
  readonly name: string | undefined;
  /** A number that the server gives at the first contact; `undefined` before it. Use it to prefix document numbers. */
  readonly number: number | undefined;
}
