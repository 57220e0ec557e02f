/** The state of the whole client. */
import type { AnyTillSyncError } from "../../shared/errors.ts";

/** Why a request did not get through; it is tried again after a wait. */
export type OfflineCause = "unreachable" | "server_error" | "throttled";
/** What only a person, or a newer app, can put right. */
export type ActionCause =
  | "auth_required"
  | "device_revoked"
  | "wrong_workspace"
  | "protocol_unsupported"
  | "upgrade_needed";

// ── Status: `phase` says what to show, its own fields why ──
export interface StatusFacts<N extends string = string> {
  readonly since: number;
  readonly pending: {
    readonly count: number;
    readonly oldestAt: number | undefined;
    readonly byCollection: { readonly [K in N]?: number };
  };
  readonly attention: { readonly conflicts: number; readonly rejected: number; readonly quarantined: number };
  readonly lastPushAt: number | undefined;
  readonly lastPullAt: number | undefined;
  readonly clock: { readonly offsetMs: number; readonly confidence: "none" | "low" | "high" };
  readonly storage: {
    readonly persisted: boolean;
    readonly usedBytes: number | undefined;
    readonly quotaBytes: number | undefined;
    readonly atRisk: "eviction" | "full" | undefined;
  };
}
export type SyncStatus<N extends string = string> = StatusFacts<N> & SyncPhase<N>;
export type SyncPhase<N extends string = string> =
  | { readonly phase: "stopped" }
  | { readonly phase: "opening" }
  | {
      readonly phase: "first_sync";
      readonly progress: {
        readonly received: number;
        readonly expected: number | undefined;
        readonly waitingFor: readonly N[];
      };
    }
  | { readonly phase: "online"; readonly activity: "idle" | "pushing" | "pulling" }
  | {
      readonly phase: "offline";
      readonly cause: "no_network" | OfflineCause;
      readonly retryAt: number | undefined;
    }
  | { readonly phase: "paused"; readonly reasons: readonly string[] }
  | {
      readonly phase: "action_needed";
      readonly cause: ActionCause;
    }
  | { readonly phase: "failed"; readonly error: AnyTillSyncError }
  | { readonly phase: "closed" };
export type SyncOutcome =
  | { readonly outcome: "done"; readonly pushed: number; readonly pulled: number; readonly remaining: number }
  | {
      readonly outcome: "offline";
      readonly cause: "no_network" | OfflineCause;
      readonly remaining: number;
    }
  | {
      readonly outcome: "action_needed";
      readonly cause: ActionCause;
      readonly remaining: number;
    }
  | { readonly outcome: "paused"; readonly reasons: readonly string[]; readonly remaining: number };
export interface DeviceIdentity {
  readonly id: string;
  readonly incarnation: string;
  readonly name: string | undefined;
  /** Given by the server at the first contact; for document prefixes. */
  readonly number: number | undefined;
}
