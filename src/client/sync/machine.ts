/**
 * The sync state machine: values in, values out. The loop beside it executes the effects and reports what came of them. (client)
 *
 *                 start           acquired             registered
 *     stopped ─────────► standby ──────────► registering ──────────► online ◄───────────┐
 *        ▲                  ▲                   │    ▲                 │ │ ▲             │
 *        │ stop             │ lost              │    │ reregister      │ │ └─ pushed,    │ a round in which
 *        └── (any)          └── (any leading)   │    └─────────────────┤ │    pulled,    │ nothing failed
 *                                               │ failed               │ │    wake, tick │
 *                                               ▼                      ▼ ▼               │
 *                                     offline (transport) ◄─ failed ─► held (a person) ──┘
 *                                       │  ▲ tick: a round              │  ▲ tick: a round
 *                                       └──┘ backoff, full jitter       └──┘ every interval
 *
 *     pause(reason): any ──► paused ──► (all reasons resumed) registering | standby          close: any ──► closed
 *
 * Guarantees:
 * - Push and pull are separate lanes: neither waits for the other (L6). Each has at most one request in flight.
 * - A failure is judged when the round is over: a lane that works goes on to its end while the other fails.
 * - A transport failure is never given up on, and never changes an operation: only waiting follows from it (L6).
 * - Waits are capped; `Retry-After` is a floor that only a person's `sync()` steps over.
 */

import type { BackoffOptions } from "../decide/backoff.ts";
import { backoffMs } from "../decide/backoff.ts";
import type { TransportFailure } from "../ports/transport.ts";
import type { HeldCause, OfflineCause } from "../types/status.ts";

export type LaneName = "push" | "pull";

/** Per lane: at rest, a request in flight, or one in flight and something new to look at afterwards. */
export type LaneState = "idle" | "busy" | "again";
export interface Lanes {
  readonly push: LaneState;
  readonly pull: LaneState;
}

export type SyncState =
  | { readonly kind: "stopped" }
  /** Another client of this store talks to the server. */
  | { readonly kind: "standby" }
  | { readonly kind: "registering"; readonly attempt: number }
  | { readonly kind: "online"; readonly lanes: Lanes }
  | {
      readonly kind: "offline";
      readonly lanes: Lanes;
      readonly cause: OfflineCause;
      readonly attempt: number;
      readonly registered: boolean;
      readonly failed: boolean;
      readonly floorMs: number;
    }
  | {
      readonly kind: "held";
      readonly lanes: Lanes;
      readonly cause: HeldCause;
      readonly registered: boolean;
      readonly failed: boolean;
    }
  | { readonly kind: "paused"; readonly reasons: readonly string[]; readonly leading: boolean }
  | { readonly kind: "closed" };

export type SyncEvent =
  | { readonly kind: "start" }
  | { readonly kind: "stop" }
  | { readonly kind: "close" }
  | { readonly kind: "acquired" }
  /** The turn, or the fence, is another's now. */
  | { readonly kind: "lost" }
  | { readonly kind: "pause"; readonly reason: string }
  | { readonly kind: "resume"; readonly reason: string }
  | { readonly kind: "wake"; readonly why: "queued" | "poke" | "online" | "visible" | "manual" }
  /** The timer that an effect set has run out. */
  | { readonly kind: "tick" }
  | { readonly kind: "registered" }
  /** Another epoch, another incarnation: introduce the store again. */
  | { readonly kind: "reregister" }
  | { readonly kind: "pushed"; readonly more: boolean }
  | { readonly kind: "pulled"; readonly more: boolean }
  | { readonly kind: "failed"; readonly lane: LaneName | "register"; readonly failure: TransportFailure };

export type SyncEffect =
  | { readonly kind: "acquire" | "release" | "register" | "push" | "pull" | "abort" | "cancel_timer" }
  | { readonly kind: "timer"; readonly afterMs: number };

export interface MachineOptions extends BackoffOptions {
  readonly intervalMs: number;
}
/** One random number per transition: jitter. */
export interface MachineInput {
  readonly options: MachineOptions;
  readonly unit: number;
}
export interface Transition {
  readonly state: SyncState;
  readonly effects: readonly SyncEffect[];
}

/** Whether this client has the turn. */
export function isLeading(state: SyncState): boolean {
  if (state.kind === "paused") return state.leading;
  return state.kind !== "stopped" && state.kind !== "standby" && state.kind !== "closed";
}

const IDLE: Lanes = { push: "idle", pull: "idle" };
const BUSY: Lanes = { push: "busy", pull: "busy" };
const ROUND: readonly SyncEffect[] = [{ kind: "cancel_timer" }, { kind: "push" }, { kind: "pull" }];

export function transition(state: SyncState, event: SyncEvent, input: MachineInput): Transition {
  const stay: Transition = { state, effects: [] };
  if (state.kind === "closed") return stay;
  // What means the same wherever it comes.
  switch (event.kind) {
    case "close":
      return { state: { kind: "closed" }, effects: [{ kind: "abort" }, { kind: "cancel_timer" }, { kind: "release" }] };
    case "stop":
      return state.kind === "stopped"
        ? stay
        : { state: { kind: "stopped" }, effects: [{ kind: "abort" }, { kind: "cancel_timer" }, { kind: "release" }] };
    case "pause":
      return pause(state, event.reason);
    case "lost":
      return lost(state);
  }
  switch (state.kind) {
    case "stopped":
      return event.kind === "start" ? { state: { kind: "standby" }, effects: [{ kind: "acquire" }] } : stay;
    case "standby":
      return event.kind === "acquired" ? register(0) : stay;
    case "registering":
      if (event.kind === "registered") return { state: { kind: "online", lanes: BUSY }, effects: ROUND };
      // The answer told of another epoch, or that the store was rolled back: the store is another one now, and says so.
      if (event.kind === "reregister") return register(state.attempt);
      if (event.kind === "failed" && event.lane === "register")
        return settle(fail(IDLE, event.failure, state.attempt, false), input);
      return stay;
    case "online":
      return inOnline(state, event, input);
    case "offline":
    case "held":
      return inTrouble(state, event, input);
    case "paused":
      return inPaused(state, event);
  }
}

function inOnline(
  state: Extract<SyncState, { kind: "online" }>,
  event: Exclude<SyncEvent, { kind: "close" | "stop" | "pause" | "lost" }>,
  input: MachineInput,
): Transition {
  switch (event.kind) {
    case "reregister":
      return register(0, [{ kind: "abort" }]);
    case "wake":
      return run(state, event.why === "queued" ? ["push"] : ["push", "pull"]);
    case "tick":
      return run(state, ["push", "pull"]);
    case "pushed":
    case "pulled": {
      const lane: LaneName = event.kind === "pushed" ? "push" : "pull";
      if (event.more || state.lanes[lane] === "again")
        return { state: withLane(state, lane, "busy"), effects: [{ kind: lane }] };
      const next = withLane(state, lane, "idle");
      return { state: next, effects: lane === "pull" ? [{ kind: "timer", afterMs: poll(input) }] : [] };
    }
    case "failed":
      if (event.lane === "register" || event.failure.kind === "aborted") return { state, effects: [] };
      return settle(fail({ ...state.lanes, [event.lane]: "idle" }, event.failure, 0, true), input);
    default:
      return { state, effects: [] };
  }
}

type Trouble = Extract<SyncState, { kind: "offline" | "held" }>;

function inTrouble(
  state: Trouble,
  event: Exclude<SyncEvent, { kind: "close" | "stop" | "pause" | "lost" }>,
  input: MachineInput,
): Transition {
  const resting = state.lanes.push === "idle" && state.lanes.pull === "idle";
  switch (event.kind) {
    case "reregister":
      return register(0, [{ kind: "abort" }, { kind: "cancel_timer" }]);
    case "tick":
      return resting ? round(state) : { state, effects: [] };
    case "wake": {
      if (!resting || event.why === "queued") return { state, effects: [] };
      // A hint of the platform starts the backoff anew; it is no reason to step over what the server asked for.
      if (state.kind === "offline" && state.floorMs > 0 && event.why !== "manual") return { state, effects: [] };
      return round(state.kind === "offline" ? { ...state, attempt: 0 } : state);
    }
    case "pushed":
    case "pulled": {
      const lane: LaneName = event.kind === "pushed" ? "push" : "pull";
      if (state.lanes[lane] === "idle") return { state, effects: [] };
      if (event.more) return { state: withLane(state, lane, "busy"), effects: [{ kind: lane }] };
      return settle(withLane(state, lane, "idle"), input);
    }
    case "failed": {
      if (event.lane === "register" || event.failure.kind === "aborted") return { state, effects: [] };
      const attempt = state.kind === "offline" ? state.attempt : 0;
      return settle(worse(state, fail({ ...state.lanes, [event.lane]: "idle" }, event.failure, attempt, true)), input);
    }
    default:
      return { state, effects: [] };
  }
}

function inPaused(state: Extract<SyncState, { kind: "paused" }>, event: SyncEvent): Transition {
  if (event.kind === "acquired") return { state: { ...state, leading: true }, effects: [] };
  if (event.kind !== "resume") return { state, effects: [] };
  const reasons = state.reasons.filter((reason) => reason !== event.reason);
  if (reasons.length === state.reasons.length) return { state, effects: [] };
  if (reasons.length > 0) return { state: { ...state, reasons }, effects: [] };
  return state.leading ? register(0) : { state: { kind: "standby" }, effects: [{ kind: "acquire" }] };
}

function pause(state: Exclude<SyncState, { kind: "closed" }>, reason: string): Transition {
  if (state.kind === "paused") {
    return {
      state: state.reasons.includes(reason) ? state : { ...state, reasons: [...state.reasons, reason] },
      effects: [],
    };
  }
  return {
    state: { kind: "paused", reasons: [reason], leading: isLeading(state) },
    effects: [{ kind: "abort" }, { kind: "cancel_timer" }],
  };
}

function lost(state: Exclude<SyncState, { kind: "closed" }>): Transition {
  if (state.kind === "stopped" || state.kind === "standby") return { state, effects: [] };
  const effects: readonly SyncEffect[] = [
    { kind: "abort" },
    { kind: "cancel_timer" },
    { kind: "release" },
    { kind: "acquire" },
  ];
  return state.kind === "paused"
    ? { state: { ...state, leading: false }, effects }
    : { state: { kind: "standby" }, effects };
}

function register(attempt: number, before: readonly SyncEffect[] = []): Transition {
  return { state: { kind: "registering", attempt }, effects: [...before, { kind: "register" }] };
}

/** Both lanes once more; a store that could not introduce itself does that first. */
function round(state: Trouble): Transition {
  if (!state.registered) return register(state.kind === "offline" ? state.attempt : 0, [{ kind: "cancel_timer" }]);
  return { state: { ...state, lanes: BUSY, failed: false }, effects: ROUND };
}

/** Starts lanes that rest, and has those that run look again. */
function run(state: Extract<SyncState, { kind: "online" }>, lanes: readonly LaneName[]): Transition {
  let next = state;
  const effects: SyncEffect[] = [];
  for (const lane of lanes) {
    if (next.lanes[lane] === "idle") effects.push({ kind: lane });
    next = withLane(next, lane, next.lanes[lane] === "idle" ? "busy" : "again");
  }
  if (effects.some((effect) => effect.kind === "pull")) effects.unshift({ kind: "cancel_timer" });
  return { state: next, effects };
}

function withLane<S extends { readonly lanes: Lanes }>(state: S, lane: LaneName, to: LaneState): S {
  return { ...state, lanes: { ...state.lanes, [lane]: to } };
}

function fail(lanes: Lanes, failure: TransportFailure, attempt: number, registered: boolean): Trouble {
  const verdict = judge(failure);
  if (verdict.kind === "held") return { kind: "held", lanes, cause: verdict.cause, registered, failed: true };
  return { kind: "offline", lanes, cause: verdict.cause, attempt, registered, failed: true, floorMs: verdict.floorMs };
}

/** Of two failures of one round the one that needs a person is shown, and the longer wait is kept. */
function worse(known: Trouble, next: Trouble): Trouble {
  if (known.failed && known.kind === "held" && next.kind === "offline") return { ...known, lanes: next.lanes };
  if (known.failed && known.kind === "offline" && next.kind === "offline")
    return { ...next, floorMs: Math.max(known.floorMs, next.floorMs) };
  return next;
}

/** At the end of a round: online again if nothing in it failed, else a wait. */
function settle(state: Trouble, input: MachineInput): Transition {
  if (state.lanes.push !== "idle" || state.lanes.pull !== "idle") return { state, effects: [] };
  if (!state.failed)
    return { state: { kind: "online", lanes: IDLE }, effects: [{ kind: "timer", afterMs: poll(input) }] };
  if (state.kind === "held") return { state, effects: [{ kind: "timer", afterMs: poll(input) }] };
  const afterMs = backoffMs(state.attempt, state.floorMs, input.unit, input.options);
  return { state: { ...state, attempt: state.attempt + 1 }, effects: [{ kind: "timer", afterMs }] };
}

/** Tills that were switched on together must not poll together. */
function poll({ options, unit }: MachineInput): number {
  return Math.round(options.intervalMs * (0.8 + 0.2 * unit));
}

/** What a failure asks for: a wait, or a person. Nothing else ever follows from one. */
function judge(
  failure: TransportFailure,
):
  | { readonly kind: "offline"; readonly cause: OfflineCause; readonly floorMs: number }
  | { readonly kind: "held"; readonly cause: HeldCause } {
  switch (failure.kind) {
    case "unauthorised":
      return { kind: "held", cause: "auth_required" };
    case "throttled":
      return { kind: "offline", cause: "throttled", floorMs: failure.retryAfterMs ?? 0 };
    case "server_error":
      return { kind: "offline", cause: "server_error", floorMs: failure.retryAfterMs ?? 0 };
    case "refused":
      return refused(failure.code);
    case "unreachable":
    case "aborted":
      return { kind: "offline", cause: "unreachable", floorMs: 0 };
  }
}

function refused(code: Extract<TransportFailure, { kind: "refused" }>["code"]): ReturnType<typeof judge> {
  switch (code) {
    case "unauthenticated":
    case "forbidden":
    case "device_mismatch":
      return { kind: "held", cause: "auth_required" };
    case "device_revoked":
    case "wrong_workspace":
    case "protocol_unsupported":
      return { kind: "held", cause: code };
    default:
      return { kind: "offline", cause: "server_error", floorMs: 0 };
  }
}
